import type { MessageInitShape } from "@bufbuild/protobuf";
import { Mirror } from "../../control/mirror.ts";
import { ControlPlaneError, type Violation } from "../../domain/errors.ts";
import { OBJECT_KEYS } from "../../domain/name.ts";
import type { ImportRequest, ImportResponseSchema, ReplaceOptions } from "../../gen/fairlead/admin/v1/archive_pb.ts";
import { nextTurn } from "../../runtime/next-turn.ts";
import type { ArchiveRecord } from "../../store/archive.ts";
import { historySlot } from "../../store/batch.ts";
import { formatRevision } from "../../store/revision.ts";
import type { StateStore } from "../../store/state-store.ts";
import type { Caller, Context } from "../context.ts";
import { badFields, readRevision } from "../object-errors.ts";
import { changeMessage, type PlannedChange } from "../objects/change-message.ts";
import { reachOf } from "../objects/reach.ts";
import { checkRemoval } from "../objects/removal-brake.ts";
import { HISTORY_KEEP } from "../writing/plan-put.ts";
import { archiveRecordFault } from "./archive-record-fault.ts";
import { type GivenObject, readGiven } from "./imported-object.ts";
import { type ImportPlan, planImport } from "./plan-import.ts";
import { checkReplace, replaceState } from "./replace-state.ts";

const MAX_OBJECTS = 500_000;
/** With this many bad fields, no more are looked for. */
const MAX_VIOLATIONS = 100;
/** How many changes an answer lists. */
const MAX_CHANGES = 1_000;
const PART = 500;

/**
 * Replaces all objects with the given ones, in one step, and begins a new epoch. Earlier contents of the objects here stay in
 * the history; those of the store that the given objects come from are left behind.
 *
 * @throws ControlPlaneError `invalid` with up to 100 bad fields; `exhausted` / `TOO_MANY_OBJECTS`; `precondition` /
 * `STATE_NOT_EMPTY`, and `REMOVAL_TOO_LARGE` unless removal is allowed; and as `Archive.replace` does. Nothing has changed
 * then.
 */
export async function importState(
  context: Context,
  caller: Caller,
  requests: AsyncIterable<ImportRequest>,
): Promise<MessageInitShape<typeof ImportResponseSchema>> {
  const { mirror, nodes, random, store } = context;
  const { given, options, epoch } = await readRequests(context, requests);
  const { networksForNewFleets } = context.plane;
  const stamp = { uid: () => random.id(), now: store.now(), networksForNewFleets };
  const plan = await planImport(mirror, given, stamp, context.pace);
  const after = await stateAfter(store, plan);
  refuseUnreadable(plan, after);
  if (options?.allowRemoval !== true) checkRemoval(mirror, after);
  const response = describe(plan);
  if (options?.validateOnly === true) {
    const { told } = await nodes.nodes({ detail: "place" });
    return { ...response, reach: reachOf(mirror, after, told) };
  }
  const revision = await replaceState(context, caller, {
    operation: "import",
    reason: options?.reason ?? "",
    parts: recordsOf(context, plan),
    keys: plan.planned.filter(({ action }) => action !== "unchanged").map(({ key }) => key),
    laterThan: () => epoch,
  });
  return { ...response, revision: formatRevision(revision) };
}

async function readRequests(context: Context, requests: AsyncIterable<ImportRequest>) {
  const given: GivenObject[] = [];
  const violations: Violation[] = [];
  const seen = new Map<string, number>();
  let options: ReplaceOptions | undefined;
  let exported: string | undefined;
  let count = 0;
  for await (const request of requests) {
    if (exported === undefined) {
      ({ options, exportedRevision: exported } = request);
      checkReplace(context.mirror, options);
    }
    for (const object of request.objects) {
      await context.pace.breathe();
      const place = `objects[${count}]`;
      count += 1;
      const read = readGiven(context.mirror, object, `${place}.`);
      if (!read.ok) {
        violations.push(...read.violations);
        continue;
      }
      const earlier = seen.get(read.given.key);
      if (earlier === undefined) given.push(read.given);
      else
        violations.push({
          field: `${place}.name`,
          message: `${read.given.kind} ${read.given.name} is objects[${earlier}] already`,
        });
      seen.set(read.given.key, count - 1);
    }
    if (violations.length >= MAX_VIOLATIONS) break;
    if (count > MAX_OBJECTS) throw tooMany();
  }
  if (violations.length > 0) throw badFields(violations);
  return { given, options, epoch: readRevision("exportedRevision", exported ?? "")?.epoch ?? 0 };
}

/** The state as it would be served. */
async function stateAfter(store: Pick<StateStore, "read">, { planned, kept }: ImportPlan): Promise<Mirror> {
  const revision = { epoch: 0, position: 0 };
  const mirror = new Mirror();
  const others = (await store.read("")).entries.filter(({ key }) => !key.startsWith(OBJECT_KEYS));
  const all = [...planned, ...kept, ...others];
  for (let start = 0; start < all.length; start += PART) {
    const entries = all.slice(start, start + PART).map(({ key, value }) => ({ key, value, revision }));
    mirror.fold({ kind: "state", entries, revision, synced: false });
    await new Promise<void>((resolve) => nextTurn(resolve));
  }
  mirror.fold({ kind: "state", entries: [], revision, synced: true });
  return mirror;
}

/** What is planned, the observations that stay, and from the present store what is not an object, the history and the journal. */
async function* recordsOf({ archive }: Context, plan: ImportPlan): AsyncGenerator<readonly ArchiveRecord[]> {
  const fresh = new Set<string>();
  for (let start = 0; start < plan.planned.length; start += PART) {
    yield plan.planned.slice(start, start + PART).flatMap(({ key, value, copy }): ArchiveRecord[] => {
      const entry = { kind: "entry", key, value } as const;
      if (copy === undefined) return [entry];
      const slot = historySlot({ generation: copy.generation, keep: HISTORY_KEEP });
      fresh.add(`${key} ${slot}`);
      return [entry, { kind: "copy", key, slot, ...copy, revision: undefined }];
    });
  }
  yield plan.kept.map(({ key, value }) => ({ kind: "entry", key, value }) as const);
  const { parts } = await archive.read();
  for await (const part of parts) {
    yield part.filter((record) => {
      // Records that cannot be read end here: the import decides all the rest.
      if (archiveRecordFault(record) !== undefined) return false;
      if (record.kind === "entry") return !record.key.startsWith(OBJECT_KEYS);
      return record.kind === "journal" || !fresh.has(`${record.key} ${record.slot}`);
    });
  }
}

/** An object that could not be read again must not be written. */
function refuseUnreadable({ planned }: ImportPlan, { setAside }: Mirror): void {
  const violations = planned.flatMap(({ kind, name, key }): Violation[] => {
    const problem = setAside.get(key);
    return problem === undefined ? [] : [{ field: "", message: `${kind} ${name} cannot be stored: ${problem.why}` }];
  });
  if (violations.length > 0) throw badFields(violations.slice(0, MAX_VIOLATIONS));
}

function describe({ planned, removed }: ImportPlan) {
  const changes: readonly PlannedChange[] = [
    ...removed.map(({ kind, name }) => ({ kind, name, action: "delete", fields: [] }) as const),
    ...planned,
  ];
  const counts = Map.groupBy(changes, ({ kind }) => kind);
  const of = (list: typeof changes, action: PlannedChange["action"]) =>
    list.filter((change) => change.action === action).length;
  return {
    changes: changes
      .filter(({ action }) => action !== "unchanged")
      .slice(0, MAX_CHANGES)
      .map(changeMessage),
    counts: [...counts].map(([kind, list]) => ({
      kind,
      unchanged: of(list, "unchanged"),
      created: of(list, "create"),
      updated: of(list, "update"),
      deleted: of(list, "delete"),
    })),
  };
}

function tooMany(): ControlPlaneError {
  return new ControlPlaneError({
    kind: "exhausted",
    code: "TOO_MANY_OBJECTS",
    message: `at most ${MAX_OBJECTS} objects can be imported; for more, back up and restore`,
  });
}
