import { create, type Message } from "@bufbuild/protobuf";
import { type Kind, type Name, serviceOf } from "../../domain/name.ts";
import { printable } from "../../domain/printable.ts";
import { type RoutingState, routingState } from "../../domain/routing-state.ts";
import type { State } from "../../domain/state.ts";
import type { Refusal } from "../../fleet/node-directory.ts";
import { type BackendStatus, BackendStatusSchema } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { type Condition, ConditionSchema } from "../../gen/fairlead/admin/v1/meta_pb.ts";
import { type ServiceStatus, ServiceStatusSchema } from "../../gen/fairlead/admin/v1/service_pb.ts";
import type { MessageOf } from "../../schema/kinds/registry.ts";
import { cloneMessage } from "../../schema/object-message.ts";
import type { Context } from "../context.ts";
import { firstFew } from "../first-few.ts";
import { type AllChecks, staleText } from "../observing/checks.ts";
import { endpointDiscovery } from "./endpoint-discovery.ts";

/** The kinds that have a status. */
type KindWithStatus = {
  [K in Kind]: MessageOf[K] extends { status?: infer S } ? (S extends Message | undefined ? K : never) : never;
}[Kind];

interface Derived<K extends KindWithStatus> {
  readonly status: MessageOf[K]["status"];
  readonly conditions?: readonly Condition[];
}

/** How many of the proxies that refuse an object its condition quotes. */
const QUOTED = 3;

/**
 * Reads stored objects and fills in what is derived about them; undefined for one that does not exist. What several of them
 * share is derived once: use one presenter for one answer.
 */
export async function presenter({
  mirror,
  nodes,
  checks,
  conditions,
}: Context): Promise<<K extends Kind>(kind: K, name: Name) => MessageOf[K] | undefined> {
  const routing = new Map<Name, RoutingState>();
  const { told: refusals } = await nodes.refusals();
  const conditionsOf = conditions.reader();
  const routingOf = (service: Name): RoutingState => {
    const known = routing.get(service) ?? routingState(mirror, service);
    routing.set(service, known);
    return known;
  };
  const verdictMessage = (name: Name) => mirror.stored("health", name)?.message;
  const derived: { readonly [K in KindWithStatus]: (name: Name) => Derived<K> } = {
    service: (name) => ({ status: serviceStatus(mirror, routingOf(name)), conditions: staleBy(checks, name) }),
    backend: (name) => ({ status: backendStatus(routingOf(serviceOf(name)), name, verdictMessage) }),
  };
  return <K extends Kind>(kind: K, name: Name) => {
    const stored = mirror.stored(kind, name);
    if (stored === undefined) return undefined;
    const message: MessageOf[Kind] = cloneMessage(kind, stored.message);
    const more = kind in derived ? derived[kind as KindWithStatus](name) : undefined;
    if ("conditions" in message) {
      message.conditions = [
        ...conditionsOf(kind, name).map((condition) => create(ConditionSchema, { ...condition })),
        ...refusedBy(refusals, kind, name),
        ...(more?.conditions ?? []),
      ];
    }
    if (more?.status !== undefined) (message as { status?: Message }).status = more.status;
    return message as MessageOf[K];
  };
}

function serviceStatus(state: State, routing: RoutingState): ServiceStatus {
  const { backends } = routing;
  return create(ServiceStatusSchema, {
    ...endpointDiscovery(state, routing),
    backends: backends.length,
    eligible: backends.filter(({ eligibility }) => eligibility.eligible).length,
    draining: backends.filter(({ backend }) => backend.state === "DRAINING").length,
    unhealthy: backends.filter(({ health }) => health.status === "UNHEALTHY").length,
  });
}

function backendStatus(
  { backends }: RoutingState,
  name: Name,
  verdictMessage: (name: Name) => MessageOf["health"] | undefined,
): BackendStatus | undefined {
  const routed = backends.find(({ backend }) => backend.name === name);
  if (routed === undefined) return undefined;
  const { eligible, reason, message } = routed.eligibility;
  const { verdict } = routed.health;
  const health = verdict === undefined ? undefined : verdictMessage(verdict.name);
  return create(BackendStatusSchema, { eligible, reason, message, ...(health === undefined ? {} : { health }) });
}

/** What proxies say against the resources that come from an object. */
function refusedBy(refusals: readonly Refusal[], kind: Kind, name: Name): Condition[] {
  const own = refusals.filter(({ objects }) => objects.some((object) => object.kind === kind && object.name === name));
  if (own.length === 0) return [];
  const message = firstFew(own, QUOTED, ({ nodeId, message }) => printable(`${nodeId}: ${message}`));
  return [create(ConditionSchema, { type: "Programmed", ok: false, reason: "Refused", message })];
}

function staleBy(checks: AllChecks | undefined, service: Name): Condition[] {
  const found = checks?.stale().get(service);
  if (found === undefined) return [];
  const message = `${staleText(found)}, since ${new Date(found.since).toISOString()}`;
  return [create(ConditionSchema, { type: "Checked", ok: false, reason: "ChecksStale", message })];
}
