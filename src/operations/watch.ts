import { create } from "@bufbuild/protobuf";
import { readRecord } from "../control/stored-record.ts";
import { KINDS, type Kind, parseStoreKey } from "../domain/name.ts";
import {
  type WatchEvent,
  WatchEventSchema,
  type WatchRequest,
  type WatchResponse,
  WatchResponseSchema,
} from "../gen/fairlead/admin/v1/observe_pb.ts";
import { formatRevision, parseRevision, type Revision } from "../store/revision.ts";
import type { Change } from "../store/state-store.ts";
import { anyObject } from "./any-object.ts";
import type { Caller, Context } from "./context.ts";
import { badField } from "./object-errors.ts";

/**
 * Streams objects as they are stored, without what is derived about them: first the present state in parts, then `synced`,
 * then each commit that touches a watched kind. With a revision to start from, only the commits after it.
 *
 * @throws ControlPlaneError `precondition` / `COMPACTED` when the revision is too old: watch again without one.
 */
export async function* watch(
  { store }: Context,
  { signal }: Caller,
  { kinds, fromRevision }: Omit<WatchRequest, "$typeName">,
): AsyncGenerator<WatchResponse> {
  const watched = readKinds(kinds);
  const from = readFrom(fromRevision);
  for await (const event of store.watch({ signal, ...(from === undefined ? {} : { from }) })) {
    const changes: readonly Change[] = event.kind === "state" ? event.entries : event.changes;
    const events = changes.flatMap((change) => eventOf(change, watched));
    const synced = event.kind === "state" && event.synced;
    if (events.length === 0 && !synced) continue;
    yield create(WatchResponseSchema, { events, revision: formatRevision(event.revision), synced });
  }
  signal.throwIfAborted();
}

function eventOf({ key, value, revision }: Change, watched: ReadonlySet<Kind>): WatchEvent[] {
  const id = parseStoreKey(key);
  if (id === undefined || !watched.has(id.kind)) return [];
  const { kind, name } = id;
  if (value === undefined) return [create(WatchEventSchema, { kind, name, deleted: true })];
  const { content } = readRecord(key, value, revision);
  // What cannot be read is named in `status`; the object is as it was before.
  if (content?.is !== "object") return [];
  const { stored } = content;
  return stored.kind === "health"
    ? [create(WatchEventSchema, { kind, name, health: stored.message })]
    : [create(WatchEventSchema, { kind, name, object: anyObject(stored.kind, stored.message) })];
}

function readKinds(texts: readonly string[]): ReadonlySet<Kind> {
  if (texts.length === 0) return new Set(KINDS);
  const kinds = texts.map((text, i) => {
    const kind = KINDS.find((known) => known === text);
    if (kind === undefined) throw badField(`kinds[${i}]`, `"${text}" is not a kind: ${KINDS.join(", ")}`);
    return kind;
  });
  return new Set(kinds);
}

function readFrom(text: string): Revision | undefined {
  if (text === "") return undefined;
  const revision = parseRevision(text);
  if (revision === undefined) throw badField("fromRevision", `"${text}" is not a revision that a read or a write gave`);
  return revision;
}
