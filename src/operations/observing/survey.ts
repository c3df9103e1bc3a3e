import { ELIGIBILITY_REASONS, type EligibilityReason } from "../../domain/eligibility.ts";
import { fleetsByService, leftOutByFleet } from "../../domain/fleet-backends.ts";
import { type Name, serviceOf } from "../../domain/name.ts";
import { type RoutingState, routingState } from "../../domain/routing-state.ts";
import type { Context } from "../context.ts";
import { conditionsOfBackends } from "./current-conditions.ts";
import { type Problem, problemsOfObjects, problemsOfService } from "./problems.ts";

/** How many backends a service has, by why they are eligible or not. */
export type BackendCounts = Readonly<Record<EligibilityReason, number>>;

/** What follows from the state for people on call. */
export interface Survey {
  /** By service. */
  readonly services: ReadonlyMap<Name, BackendCounts>;
  readonly problems: readonly Problem[];
}

/**
 * Goes through the whole state, service by service, and gives way in between: what is committed meanwhile is seen of some
 * services and not of others.
 */
export async function survey({
  mirror,
  conditions,
  onsets,
  clock,
  pace,
}: Pick<Context, "mirror" | "conditions" | "onsets" | "clock" | "pace">): Promise<Survey> {
  const derived = { begun: onsets.of.bind(onsets), now: clock.now() };
  const fleets = fleetsByService(mirror);
  const services = new Map<Name, BackendCounts>();
  const ofBackends: Name[] = [];
  let counted = 0;
  const problems = problemsOfObjects(conditions.ofOthers(), derived);
  for (const { name } of mirror.all("service")) {
    await pace.breathe();
    const routing = routingState(mirror, name);
    const counts = countBackends(routing);
    services.set(name, counts);
    counted += routing.backends.length;
    problems.push(...problemsOfService(routing, leftOutByFleet(mirror, name, fleets), derived));
    // Where no two share an address, there is no condition to be found on the backends of a service.
    if (counts["duplicate-address"] > 0) ofBackends.push(name);
  }
  const backends = [...mirror.all("backend")];
  if (backends.length !== counted) {
    ofBackends.push(
      ...new Set(backends.map(({ name }) => serviceOf(name)).filter((service) => !services.has(service))),
    );
  }
  for (const service of ofBackends) {
    await pace.breathe();
    problems.push(...problemsOfObjects(conditionsOfBackends(mirror, service), derived));
  }
  return { services, problems };
}

function countBackends({ backends }: RoutingState): BackendCounts {
  const counts = Object.fromEntries(ELIGIBILITY_REASONS.map((reason) => [reason, 0])) as Record<
    EligibilityReason,
    number
  >;
  for (const { eligibility } of backends) counts[eligibility.reason] += 1;
  return counts;
}
