import { KINDS, type Kind } from "../../domain/name.ts";
import type { WatchRequest } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { formatRevision, type Revision, reached } from "../../store/revision.ts";
import type { Change } from "../../store/state-store.ts";
import type { Caller, Context } from "../context.ts";
import { badField, precondition, readRevision } from "../object-errors.ts";
import { type EncodedEvent, encodeAnswer, type WatchEvents } from "./watch-events.ts";

/** An answer has no more than this, or one event: this much is held for a slow watcher. */
const ANSWER_BYTES = 256 * 1024;
/** How many changed objects may wait for a watcher to read them; the watch of a slower one is ended. */
const MAX_UNREAD = 4_000;

/**
 * Streams objects as they are stored, without what is derived about them: first the present state in parts, then `synced`,
 * then each commit that touches a watched kind, with who made it and why. With a revision to start from, first an answer
 * without events, then the commits after it. What is too much for one answer comes in several, and all but the last have
 * the revision before it, so that a watcher that goes on from there misses nothing.
 *
 * @returns Encoded `WatchResponse`s.
 * @throws ControlPlaneError `precondition` / `COMPACTED` when the revision is too old: watch again without one,
 * `REVISION_NOT_WRITTEN` when it is in the future; `exhausted` / `READER_TOO_SLOW`.
 */
export async function* watch(
  context: Context & { readonly events: WatchEvents },
  { signal }: Caller,
  { kinds, fromRevision }: Omit<WatchRequest, "$typeName">,
): AsyncGenerator<Uint8Array> {
  const { store, pace, events } = context;
  const watched = readKinds(kinds);
  const from = readRevision("fromRevision", fromRevision);
  let told = fromRevision;
  if (from !== undefined) {
    await refuseFuture(context, from);
    yield encodeAnswer([], { revision: fromRevision, synced: true });
  }
  const options = { signal, maxUnread: MAX_UNREAD, ...(from === undefined ? {} : { from }) };
  for await (const event of store.watch(options)) {
    const changes: readonly Change[] = event.kind === "state" ? event.entries : event.changes;
    const revision = formatRevision(event.revision);
    if (event.kind === "state") told = revision;
    const synced = event.kind === "state" && event.synced;
    const answer = async (part: readonly EncodedEvent[], at: { revision: string; synced: boolean }) =>
      encodeAnswer(part, event.kind === "state" ? at : { ...at, commits: await events.commitsOf(part) });
    let part: EncodedEvent[] = [];
    let bytes = 0;
    for (const change of changes) {
      const encoded = events.eventOf(change, event.kind === "commit" ? event.at : undefined);
      await pace.breathe();
      if (encoded === undefined || !watched.has(encoded.kind)) continue;
      if (part.length > 0 && bytes + encoded.bytes.byteLength > ANSWER_BYTES) {
        yield await answer(part, { revision: told, synced: false });
        part = [];
        bytes = 0;
      }
      part.push(encoded);
      bytes += encoded.bytes.byteLength;
    }
    if (part.length === 0 && !synced) continue;
    yield await answer(part, { revision, synced });
    told = revision;
  }
  signal.throwIfAborted();
}

/** Nobody is left waiting for a revision that was mistyped, or belongs to another store. */
async function refuseFuture({ store, mirror }: Context, from: Revision): Promise<void> {
  if (reached(mirror.revision, from)) return;
  const newest = await store.barrier();
  if (reached(newest, from)) return;
  const [asked, last] = [formatRevision(from), formatRevision(newest)];
  const message = `revision ${asked} has not been written yet: the newest is ${last}; leave it out to begin with the current state`;
  throw precondition("REVISION_NOT_WRITTEN", message, { revision: asked, newest: last });
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
