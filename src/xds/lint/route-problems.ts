import type {
  RetryPolicy,
  Route,
  RouteMatch,
  VirtualHost,
} from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { overrideProblems } from "./known-filters.ts";
import { type Finding, refused, UINT32_MAX, unavailable } from "./proxyless-problem.ts";

const PATH_MATCHES: ReadonlySet<unknown> = new Set(["prefix", "path", "safeRegex"]);

/** What a proxyless client finds wrong with virtual hosts; `ringHash` says which clusters need a hash policy. */
export function routeProblems(hosts: readonly VirtualHost[], ringHash: ReadonlySet<string>): Finding[] {
  return hosts.flatMap((host, index) => {
    const field = `virtual_hosts[${index}]`;
    const found = [...hostProblems(field, host)];
    host.routes.forEach((route, inner) => {
      const at = `${field}.routes[${inner}]`;
      found.push(...matchProblems(`${at}.match`, route.match), ...overrideProblems(at, route.typedPerFilterConfig));
      found.push(...actionProblems(at, route, ringHash));
    });
    return found;
  });
}

/** Whether calls end in these routes that are meant for servers. */
export function servesInPlace(hosts: readonly VirtualHost[]): boolean {
  return hosts.some(({ routes }) => routes.some(({ action }) => action.case === "nonForwardingAction"));
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

function hostProblems(field: string, { domains, routes, retryPolicy, typedPerFilterConfig }: VirtualHost): Finding[] {
  const found = [...retryProblems(field, retryPolicy), ...overrideProblems(field, typedPerFilterConfig)];
  if (routes.length === 0) {
    found.push(unavailable(`${field}.routes`, "route_missing", "A call that no route matches fails."));
  }
  domains.forEach((domain, index) => {
    const at = `${field}.domains[${index}]`;
    if (domain === "") {
      const explanation = "An empty domain makes every later call of a Java client fail, until it is started again.";
      found.push({ field: at, code: "domain_malformed", effect: "crash", explanation });
    } else if (!/^(\*?[^*]*|[^*]*\*)$/.test(domain)) {
      const why = `${domain} is malformed: one \`*\` may stand at its beginning or its end.`;
      found.push(refused(at, "domain_malformed", why));
    }
  });
  return found;
}

function matchProblems(field: string, match: RouteMatch | undefined): Finding[] {
  const found: Finding[] = [];
  if (!PATH_MATCHES.has(match?.pathSpecifier.case)) {
    found.push(refused(field, "path_match_unknown", "Paths are matched by `prefix`, `path` or `safe_regex`."));
  }
  const conditions: [name: string, isSet: boolean][] = [
    ["query_parameters", (match?.queryParameters.length ?? 0) > 0],
    ["dynamic_metadata", (match?.dynamicMetadata.length ?? 0) > 0],
    ["tls_context", match?.tlsContext !== undefined],
  ];
  for (const [name, isSet] of conditions) {
    if (!isSet) continue;
    const explanation =
      "Not every library knows this condition: without it, the route takes calls that are not for it.";
    found.push({ field: `${field}.${name}`, code: "match_condition_ignored", effect: "ignored", explanation });
  }
  match?.headers.forEach(({ name, headerMatchSpecifier }, index) => {
    if (headerMatchSpecifier.case !== undefined) return;
    const why = `What ${name} is compared with is missing; for its presence, write \`present_match\`.`;
    found.push(refused(`${field}.headers[${index}]`, "header_match_missing", why));
  });
  return found;
}

function retryProblems(field: string, policy: RetryPolicy | undefined): Finding[] {
  if (policy?.numRetries !== 0) return [];
  const why = "It must be at least 1; for no retries leave out the policy.";
  return [refused(`${field}.retry_policy.num_retries`, "retries_zero", why)];
}

function actionProblems(field: string, { action }: Route, ringHash: ReadonlySet<string>): Finding[] {
  if (action.case === "nonForwardingAction") return [];
  if (action.case !== "route") {
    return [refused(field, "action_unknown", "Clients know only forwarding.")];
  }
  const { clusterSpecifier: target, hashPolicy, retryPolicy } = action.value;
  const found = retryProblems(`${field}.route`, retryPolicy);
  const names = target.case === "cluster" ? [target.value] : [];
  if (target.case === "clusterHeader") {
    const why = "Calls are not sent to a cluster that a header names: they fail.";
    found.push(unavailable(`${field}.route.cluster_header`, "cluster_header_set", why));
  }
  if (target.case === "weightedClusters") {
    target.value.clusters.forEach(({ typedPerFilterConfig }, index) => {
      found.push(...overrideProblems(`${field}.route.weighted_clusters.clusters[${index}]`, typedPerFilterConfig));
    });
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
