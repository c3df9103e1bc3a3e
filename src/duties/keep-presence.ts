import type { Mirror } from "../control/mirror.ts";
import type { Name } from "../domain/name.ts";
import type { PresencePart } from "../domain/presence.ts";
import type { SharedNodeDirectory } from "../fleet/shared-node-directory.ts";
import { PRESENCE } from "../store/keys/presence-record.ts";
import { readForm } from "../store/keys/record-form.ts";
import { type Revision, sameRevision } from "../store/revision.ts";
import type { Entry, StateStore, StoreOp } from "../store/state-store.ts";
import type { Duty } from "./duty.ts";
import { type FleetFacts, planPresence } from "./plan-presence.ts";
import { look, type Sightings } from "./sightings.ts";

/** How often it is asked whether anything changed, and how often something is committed at most. */
const LOOK_MS = 1_000;
/** Well below what a batch may hold: a part has at most 256 KB. */
const PARTS_PER_COMMIT = 48;

export interface PresenceSources {
  readonly mirror: Pick<Mirror, "get" | "isSetAside">;
  readonly store: Pick<StateStore, "read">;
  readonly nodes: Pick<SharedNodeDirectory, "nodes" | "attendance">;
  /** The replicas that are live at this moment. */
  readonly live: () => readonly string[];
}

/**
 * Records which proxies of each fleet are there and which are gone: in one commit a second for all fleets, and in none while
 * nobody comes or goes. All replicas are asked only after one of their proxies, or one of them, came or went.
 */
export function keepPresence({ mirror, store, nodes, live }: PresenceSources): Duty {
  let sightings: Sightings = new Map();
  let read: ReadonlyMap<string, ReadPart> = new Map();
  /** What was known when the record was last found to be in order. */
  let settled = "";
  let dueAt: number | undefined;
  let restUntil = 0;
  const factsOf: FleetFacts = (fleet: Name) => {
    const stored = mirror.get("fleet", fleet);
    if (stored !== undefined) return stored;
    return mirror.isSetAside("fleet", fleet) ? "unread" : "deleted";
  };
  return {
    name: "presence",
    operation: "-presence",
    concerns: ["fleet"],
    observe: () => {
      settled = "";
    },
    plan: async (now) => {
      if (now < restUntil) return { batches: [], nextAt: restUntil };
      const nextAt = now + LOOK_MS;
      const attendance = nodes.attendance();
      if (attendance === settled && (dueAt === undefined || now < dueAt)) return { batches: [], nextAt };
      const [{ told, unknown }, { entries }] = await Promise.all([
        nodes.nodes({ detail: "place" }),
        store.read(PRESENCE.keys),
      ]);
      read = new Map(entries.flatMap((entry) => readEntry(entry, read)));
      const mirrored = new Set(entries.map(({ key }) => PRESENCE.nameOf(key)));
      const recorded = new Map(Array.from(read, ([name, { part }]) => [name, part]));
      sightings = look(sightings, recorded.values(), { told, unknown, live: live() }, now);
      const isUnread = (part: string) => mirrored.has(part) && !read.has(part);
      const plan = planPresence(recorded, sightings, { factsOf, isUnread }, now);
      dueAt = plan.dueAt;
      if (plan.writes.size === 0) {
        // A replica that is live and missed this question is asked again.
        settled = unknown.some(({ replica }) => live().includes(replica)) ? "" : attendance;
        return { batches: [], nextAt };
      }
      settled = "";
      restUntil = nextAt;
      const revisions = new Map(entries.map(({ key, revision }) => [key, revision]));
      const ops = [...plan.writes].slice(0, PARTS_PER_COMMIT).map(([name, part]): StoreOp => {
        const key = PRESENCE.key(name);
        const guard = revisions.get(key) ?? "absent";
        return part === undefined
          ? { op: "delete", key, guard }
          : { op: "put", key, value: PRESENCE.encode(part), guard };
      });
      return { batches: [ops], nextAt };
    },
  };
}

interface ReadPart {
  readonly part: PresencePart;
  readonly revision: Revision;
}

/** Parts that are as they were are not decoded again. */
function readEntry({ key, value, revision }: Entry, before: ReadonlyMap<string, ReadPart>): [string, ReadPart][] {
  const name = PRESENCE.nameOf(key);
  if (name === undefined) return [];
  const known = before.get(name);
  const isSame = known !== undefined && sameRevision(known.revision, revision);
  const part = isSame ? known.part : readForm(PRESENCE, value);
  return part === undefined ? [] : [[name, { part, revision }]];
}
