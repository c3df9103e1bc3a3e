import type { Route, VirtualHost } from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { type Finding, refused, UINT32_MAX, unavailable } from "./proxyless-problem.ts";

/** What a proxyless client finds wrong with virtual hosts; `ringHash` says which clusters need a hash policy. */
export function routeProblems(hosts: readonly VirtualHost[], ringHash: ReadonlySet<string>): Finding[] {
  return hosts.flatMap(({ routes }, index) => {
    const field = `virtual_hosts[${index}]`;
    if (routes.length === 0) {
      return [unavailable(`${field}.routes`, "route_missing", "A call that no route matches fails.")];
    }
    return routes.flatMap((route, inner) => actionProblems(`${field}.routes[${inner}]`, route, ringHash));
  });
}

/** Whether some virtual host takes calls to `target`. The target's port, if it has one, counts. */
export function servesTarget(hosts: readonly VirtualHost[], target: string): boolean {
  const wanted = target.toLowerCase();
  return hosts.some(({ domains }) => domains.some((domain) => matches(domain.toLowerCase(), wanted)));
}

function matches(domain: string, target: string): boolean {
  if (domain === "*") return true;
  if (domain.startsWith("*")) return target.endsWith(domain.slice(1)) && target.length >= domain.length;
  if (domain.endsWith("*")) return target.startsWith(domain.slice(0, -1)) && target.length >= domain.length;
  return domain === target;
}

function actionProblems(field: string, { action }: Route, ringHash: ReadonlySet<string>): Finding[] {
  if (action.case === "nonForwardingAction") return [];
  if (action.case !== "route") {
    return [unavailable(field, "action_unknown", "Clients know only forwarding; calls on other routes fail.")];
  }
  const { clusterSpecifier: target, hashPolicy } = action.value;
  const found: Finding[] = [];
  const names = target.case === "cluster" ? [target.value] : [];
  if (target.case === "weightedClusters") {
    names.push(...target.value.clusters.map(({ name }) => name));
    const sum = target.value.clusters.reduce((total, { weight }) => total + (weight ?? 0), 0);
    if (sum === 0 || sum > UINT32_MAX) {
      const why = "The weights must add up to at least 1 and at most 2³²-1.";
      found.push(refused(`${field}.route.weighted_clusters`, "weight_sum_out_of_range", why));
    }
  }
  const hashed = names.find((name) => ringHash.has(name));
  if (hashed !== undefined && hashPolicy.length === 0) {
    const explanation = `${hashed} uses a ring hash, but this route has no hash policy: older C-core clients crash.`;
    found.push({ field: `${field}.route.hash_policy`, code: "hash_policy_missing", effect: "crash", explanation });
  }
  return found;
}
