import { type Backend, targetText } from "./backend.ts";
import { type EffectiveHealth, type Eligibility, effectiveHealth, eligibility } from "./eligibility.ts";
import type { HealthCheck } from "./health-check.ts";
import { byAge, byName } from "./meta.ts";
import { type Name, namesake } from "./name.ts";
import { DEFAULT_POLICY, type PolicySpec } from "./policy.ts";
import type { Service } from "./service.ts";
import type { State } from "./state.ts";

/** A backend with the text of its target. */
interface Addressed {
  readonly backend: Backend;
  readonly address: string;
}

/** A backend as proxies should treat it. */
export interface RoutedBackend extends Addressed {
  readonly health: EffectiveHealth;
  readonly eligibility: Eligibility;
  /** As Envoy names it. Undefined for a duplicate address: proxies are not told about it. */
  readonly status: "HEALTHY" | "DEGRADED" | "UNHEALTHY" | "DRAINING" | undefined;
}

/** What follows for one service from members, health and policy (law 4). It does not depend on who asks. */
export interface RoutingState {
  readonly service: Name;
  readonly policy: PolicySpec;
  /** Where the policy comes from; undefined for the built-in one. */
  readonly policyName: Name | undefined;
  /** By name. */
  readonly backends: readonly RoutedBackend[];
}

/**
 * Derives the routing state of a service; one that does not exist has the policy of its own name, or the built-in one.
 *
 * @param previous An earlier result for the same service. Entries that did not change stay the same objects, so their
 * encodings can be used again; the result is equal with and without it.
 */
export function routingState(state: State, service: Name, previous?: RoutingState): RoutingState {
  const check = state.get("service", service)?.healthCheck;
  const known = previous?.backends ?? [];
  let at = 0;
  // A string that is made once is hashed once, so each text stays with its entry.
  const members = [...state.backendsOf(service)].sort(byName).map((backend): Addressed | RoutedBackend => {
    // Both are sorted by name, so one pass finds what each entry was.
    for (let name = known[at]?.backend.name; name !== undefined && name < backend.name; name = known[at]?.backend.name)
      at++;
    const before = known[at];
    return before?.backend === backend ? before : addressed(backend);
  });
  const winners = duplicates(members);
  const backends = members.map((member) => {
    const entry = routedBackend(state, member, { check, winner: winners.get(member.backend.name) });
    return "status" in member && isSame(member, entry) ? member : entry;
  });
  return { service, ...effectivePolicy(state, service), backends };
}

/** The policy a service names, or the one of its own name, or the built-in one. */
export function effectivePolicy(state: State, service: Name): Pick<RoutingState, "policy" | "policyName"> {
  const policy = state.get("policy", effectivePolicyName(state.get("service", service) ?? { name: service }));
  return policy === undefined ? { policy: DEFAULT_POLICY, policyName: undefined } : { policy, policyName: policy.name };
}

/** The name that the policy would have, whether it exists or not. */
export function effectivePolicyName({ name, policy }: Pick<Service, "name"> & Partial<Pick<Service, "policy">>): Name {
  return policy ?? namesake(name, "service", "policy");
}

export function addressed(backend: Backend): Addressed {
  return { backend, address: targetText(backend.target) };
}

/** For each member that is not the oldest at its address, the one that is. */
export function duplicates(members: readonly Addressed[]): ReadonlyMap<Name, Backend> {
  const holders = new Map<string, Backend>();
  const winners = new Map<Name, Backend>();
  for (const { backend, address } of members) {
    const holder = holders.get(address);
    if (holder === undefined || byAge(backend, holder) < 0) holders.set(address, backend);
  }
  if (holders.size === members.length) return winners;
  for (const { backend, address } of members) {
    const holder = holders.get(address);
    if (holder !== undefined && holder !== backend) winners.set(backend.name, holder);
  }
  return winners;
}

function routedBackend(
  state: State,
  { backend, address }: Addressed,
  { check, winner }: { check: HealthCheck | undefined; winner: Backend | undefined },
): RoutedBackend {
  const health = effectiveHealth(backend, state.healthOf(backend.name), check);
  const verdict = eligibility(backend, health, winner);
  return { backend, address, health, eligibility: verdict, status: statusOf(backend, health, verdict) };
}

const STATUS = {
  HEALTHY: "HEALTHY",
  UNKNOWN: "HEALTHY",
  DEGRADED: "DEGRADED",
  UNHEALTHY: "UNHEALTHY",
  PENDING: "UNHEALTHY",
} as const;

function statusOf(backend: Backend, health: EffectiveHealth, { reason }: Eligibility): RoutedBackend["status"] {
  if (reason === "duplicate-address") return undefined;
  return backend.state === "DRAINING" ? "DRAINING" : STATUS[health.status];
}

function isSame(a: RoutedBackend, b: RoutedBackend): boolean {
  return (
    a.health.status === b.health.status &&
    a.health.verdict === b.health.verdict &&
    a.eligibility.reason === b.eligibility.reason &&
    a.eligibility.message === b.eligibility.message
  );
}
