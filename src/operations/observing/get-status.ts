import { conditions } from "../../domain/conditions.ts";
import { encodingProfile } from "../../domain/encoding-profile.ts";
import { fleetsByService, leftOutByFleet } from "../../domain/fleet-backends.ts";
import type { Name } from "../../domain/name.ts";
import { type RoutingState, routingState } from "../../domain/routing-state.ts";
import type { NodeView } from "../../fleet/node-directory.ts";
import type { Context } from "../context.ts";
import { presenceFindings } from "./presence-findings.ts";
import { isBehind, problemsOf } from "./problems.ts";
import { replicasOf } from "./replicas.ts";
import { setAsideFindings } from "./set-aside-findings.ts";
import { storeFindings } from "./store-findings.ts";

/** The state of the plane, its proxies and its services, and what a person on call should look at. */
export async function getStatus(context: Context) {
  const { mirror, nodes, journal, plane, onsets } = context;
  const now = context.clock.now();
  const store = context.storeStatus();
  // A store that is away would not answer; all the rest is known here.
  const [newest] = store.away === undefined ? await journal.list({ limit: 1 }) : [];
  const [{ told: views }, { told: refusals }] = await Promise.all([nodes.nodes(), nodes.refusals()]);
  const replicas = replicasOf(context);
  const refusing = new Set(refusals.map(({ nodeId }) => nodeId));
  const connected = views.filter((node) => node.connected);
  const services = Array.from(mirror.all("service"), ({ name }) => routingState(mirror, name));
  const fleets = fleetsByService(mirror);
  return {
    version: plane.version,
    replica: plane.replica,
    revision: mirror.revision,
    store: store.kind,
    storeCopies: store.copies,
    encodingProfile: Number.isFinite(encodingProfile(mirror)) ? encodingProfile(mirror) : 0,
    lastWriteAt: newest?.at,
    proxiesConnected: connected.length,
    proxiesUpToDate: connected.filter((node) => isUpToDate(node, refusing)).length,
    proxiesRefusing: connected.filter(({ id }) => refusing.has(id)).length,
    services: services.length,
    servicesWhole: services.filter(isWhole).length,
    servicesDown: services.filter(({ backends }) => !backends.some(isEligible)).length,
    start: plane.start && {
      ...plane.start,
      proxies: new Set(connected.flatMap(({ id, replica }) => (replica === plane.replica ? id : []))).size,
    },
    replicas,
    backends: [...mirror.all("backend")].length,
    backendsEligible: services.flatMap(({ backends }) => backends.filter(isEligible)).length,
    problems: problemsOf({
      store: [...storeFindings(store), ...context.standing()],
      nodes: views,
      refusals,
      presence: presenceFindings(context, views),
      services,
      leftOut: new Map(services.map(({ service }) => [service, leftOutByFleet(mirror, service, fleets)])),
      conditions: conditions(mirror, context.conditions.rules),
      setAside: setAsideFindings(mirror.setAside.values()),
      begun: (subject, what) => onsets.of(subject, what),
      now,
      checks: context.checks?.findings() ?? [],
      replicas,
    }),
  };
}

export type PlaneStatus = Awaited<ReturnType<typeof getStatus>>;

function isUpToDate(node: NodeView, refusing: ReadonlySet<Name>): boolean {
  return node.silent === undefined && node.lagMs === 0 && !refusing.has(node.id) && !isBehind(node);
}

/** Some backend serves, and every backend that should serve does. */
function isWhole({ backends }: RoutingState): boolean {
  return backends.some(isEligible) && backends.every((routed) => isEligible(routed) || routed.status === "DRAINING");
}

function isEligible({ eligibility }: RoutingState["backends"][number]): boolean {
  return eligibility.eligible;
}
