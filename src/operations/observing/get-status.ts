import { encodingProfile } from "../../domain/encoding-profile.ts";
import type { Name } from "../../domain/name.ts";
import type { ToldNode } from "../../fleet/node-directory.ts";
import type { Context } from "../context.ts";
import { presenceFindings } from "./presence-findings.ts";
import { isBehind, listed, type Surroundings, surroundingProblems } from "./problems.ts";
import { replicasOf } from "./replicas.ts";
import { setAsideFindings } from "./set-aside-findings.ts";
import { storeFindings } from "./store-findings.ts";
import { type BackendCounts, survey } from "./survey.ts";

/** The state of the plane, its proxies and its services, and what a person on call should look at. */
export async function getStatus(context: Context) {
  const { mirror, nodes, journal, plane } = context;
  const store = context.storeStatus();
  // A store that is away would not answer; all the rest is known here.
  const [newest] = store.away === undefined ? await journal.list({ limit: 1 }) : [];
  const [{ told: all }, { told: refusals }] = await Promise.all([nodes.nodes(), nodes.refusals()]);
  const replicas = replicasOf(context);
  const refusing = new Set(refusals.map(({ nodeId }) => nodeId));
  const connected = all.filter((node) => node.connected);
  const { revision } = mirror;
  const { services, problems } = await survey(context);
  const counts = [...services.values()];
  return {
    version: plane.version,
    replica: plane.replica,
    revision,
    store: store.kind,
    storeCopies: store.copies,
    encodingProfile: Number.isFinite(encodingProfile(mirror)) ? encodingProfile(mirror) : 0,
    lastWriteAt: newest?.at,
    proxiesConnected: connected.length,
    proxiesUpToDate: connected.filter((node) => isUpToDate(node, refusing)).length,
    proxiesRefusing: connected.filter(({ id }) => refusing.has(id)).length,
    services: services.size,
    servicesWhole: counts.filter(isWhole).length,
    servicesDown: counts.filter((ofService) => eligible(ofService) === 0).length,
    start: plane.start && {
      ...plane.start,
      proxies: new Set(connected.flatMap(({ id, replica }) => (replica === plane.replica ? id : []))).size,
    },
    replicas,
    backends: [...mirror.all("backend")].length,
    backendsEligible: counts.reduce((sum, ofService) => sum + eligible(ofService), 0),
    problems: listed([
      ...surroundingProblems({
        ...surroundings(context),
        nodes: all,
        presence: presenceFindings(context, connected),
        refusals,
      }),
      ...problems,
    ]),
  };
}

/** What is known here of what surrounds the state, apart from proxies. */
export function surroundings(context: Context): Omit<Surroundings, "nodes" | "presence" | "refusals"> {
  const { mirror, clock, checks } = context;
  return {
    store: storeFindings(context.storeStatus()),
    plane: context.standing(),
    setAside: setAsideFindings(mirror.setAside.values()),
    replicas: replicasOf(context),
    checks: checks?.findings() ?? [],
    now: clock.now(),
  };
}

export type PlaneStatus = Awaited<ReturnType<typeof getStatus>>;

function isUpToDate(node: ToldNode, refusing: ReadonlySet<Name>): boolean {
  return node.silent === undefined && node.lagMs === 0 && !refusing.has(node.id) && !isBehind(node);
}

/** Some backend serves, and every backend that should serve does. */
function isWhole(counts: BackendCounts): boolean {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return eligible(counts) > 0 && eligible(counts) + counts.draining === total;
}

function eligible({ active, degraded }: BackendCounts): number {
  return active + degraded;
}
