import { fleetsByService, leftOutByFleet } from "../../domain/fleet-backends.ts";
import type { Name } from "../../domain/name.ts";
import { routingState } from "../../domain/routing-state.ts";
import type { State } from "../../domain/state.ts";
import { formatRevision, newestOf } from "../../store/revision.ts";
import { ENDPOINT_TYPE } from "../../xds/protocol/resource-types.ts";
import type { Context } from "../context.ts";
import { notFound, readName } from "../object-errors.ts";
import { acknowledgements, type Explanation, explanation, type Fact } from "./explanation.ts";
import { ofService } from "./onset-watch.ts";
import { proxiesAt } from "./proxies-at.ts";
import { serviceProblems } from "./service-problems.ts";

/** How many of the backends that may not be used are named. */
const NAMED = 20;

/** Whether any backend may serve a service, and why. @throws ControlPlaneError `notFound`. */
export async function explainService(context: Context, text: string): Promise<Explanation> {
  const { mirror, onsets, clock } = context;
  const name = readName("service", text);
  const stored = mirror.stored("service", name);
  if (stored === undefined) throw notFound("service", name);
  const routing = routingState(mirror, name);
  const [problem] = serviceProblems(routing, (what) => onsets.of(ofService(name), what), clock.now());
  // The newest write of anything that its endpoints come from.
  const parts = routing.backends.flatMap(({ backend, health: { verdict } }) => [
    mirror.stored("backend", backend.name)?.revision ?? [],
    (verdict && mirror.stored("health", verdict.name)?.revision) ?? [],
  ]);
  const revision = newestOf([stored.revision, ...parts.flat()]) ?? stored.revision;
  const at = await proxiesAt(context, { typeUrl: ENDPOINT_TYPE, name }, revision);
  const conditions = context.conditions.reader()("service", name);
  return explanation(serviceText(mirror, name), [
    ...conditions.map(({ message }): Fact => ["condition", message]),
    ...(problem?.since === undefined ? [] : ([["since", new Date(problem.since).toISOString()]] as const)),
    ...backendFacts(routing.backends),
    ["health", stored.object.healthCheck === undefined ? "not checked by the plane" : "checked by the plane"],
    ["policy", `${routing.policyName ?? "built-in"}, panic threshold ${routing.policy.panicThreshold} %`],
    ...ruleFacts(mirror, name),
    ...fleetFacts(mirror, name),
    ...acknowledgements(at, formatRevision(revision)),
  ]);
}

/** `2 of 3 backends may be used`. */
export function serviceText(state: State, service: Name): string {
  if (state.get("service", service) === undefined)
    return "there is no such service: requests for it are answered with 503";
  const { backends, policy } = routingState(state, service);
  const eligible = backends.filter(({ eligibility }) => eligibility.eligible).length;
  if (backends.length === 0) return "DOWN: no backend is registered";
  if (eligible > 0) return `${eligible} of ${backends.length} backends may be used`;
  const panics = policy.panicThreshold > 0 && backends.some(({ status }) => status === "UNHEALTHY");
  return panics
    ? `in panic: none of ${backends.length} backends is eligible, so the unhealthy ones get requests too`
    : `DOWN: none of ${backends.length} backends may be used`;
}

function* backendFacts(backends: ReturnType<typeof routingState>["backends"]): Iterable<Fact> {
  const out = backends.filter(({ eligibility }) => !eligibility.eligible);
  for (const { backend, eligibility } of out.slice(0, NAMED)) yield [`backend ${backend.name}`, eligibility.message];
  if (out.length > NAMED) yield ["", `and ${out.length - NAMED} more`];
}

function* ruleFacts(state: State, service: Name): Iterable<Fact> {
  let isLed = false;
  for (const route of state.all("route")) {
    const rules = route.rules.flatMap(({ to }, index) =>
      to.some((one) => one.service === service && one.weight > 0) ? [`rules[${index}]`] : [],
    );
    if (rules.length === 0) continue;
    isLed = true;
    yield [`route ${route.name}`, `leads to it by ${rules.join(", ")}, for ${route.hosts.join(", ")}`];
  }
  if (!isLed) yield ["routes", "none leads to it: no request reaches it"];
}

function* fleetFacts(state: State, service: Name): Iterable<Fact> {
  const leftOut = leftOutByFleet(state, service);
  for (const fleet of fleetsByService(state).get(service) ?? []) {
    const out = leftOut.get(fleet) ?? [];
    const [first] = out;
    const why =
      first === undefined ? "has all of its backends" : `leaves out ${out.length}: ${first.backend.name}: ${first.why}`;
    yield [`fleet ${fleet}`, why];
  }
}
