import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { readRecord } from "../../control/stored-record.ts";
import { type Kind, type ObjectId, parseStoreKey } from "../../domain/name.ts";
import {
  type WatchCommit,
  WatchCommitSchema,
  type WatchEvent,
  WatchEventSchema,
  type WatchResponse,
  WatchResponseSchema,
} from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import { type AppliedKind, isApplied, type MessageOf } from "../../schema/kinds/registry.ts";
import type { Journal, JournalEntry } from "../../store/journal.ts";
import { formatRevision, type Revision } from "../../store/revision.ts";
import type { Change } from "../../store/state-store.ts";
import { anyObject } from "../objects/any-object.ts";

/** How many commits one answer names, the newest if a slow watcher has more, and how many are kept for other watchers. */
const MAX_COMMITS = 64;

/** One event of a watch, as it stands in an answer. */
export interface EncodedEvent {
  readonly kind: Kind;
  /** Of the write that it reports. */
  readonly revision: Revision;
  readonly deleted: boolean;
  readonly bytes: Uint8Array;
}

/**
 * The events of all watchers: each stored value is encoded once, however many of them are sent it, and the event is kept as
 * long as the store holds the value.
 */
export class WatchEvents {
  readonly #journal: Pick<Journal, "findCommit">;
  readonly #commits = new Map<string, Promise<WatchCommit | undefined>>();
  readonly #encoded = new WeakMap<Uint8Array, { readonly change: Change; readonly event: EncodedEvent }>();

  constructor(journal: Pick<Journal, "findCommit">) {
    this.#journal = journal;
  }

  /**
   * Who made the commits that events come from. Checks turn many backends in a short time, and each verdict names its source:
   * the journal is not asked about these.
   */
  async commitsOf(events: readonly EncodedEvent[]): Promise<WatchCommit[]> {
    const revisions = new Map(
      events.flatMap(({ kind, deleted, revision }) =>
        !isApplied(kind) && !deleted ? [] : [[formatRevision(revision), revision] as const],
      ),
    );
    const asked = [...revisions.values()].slice(-MAX_COMMITS).map((revision) => this.#commit(revision));
    return (await Promise.all(asked)).flatMap((commit) => commit ?? []);
  }

  #commit(revision: Revision): Promise<WatchCommit | undefined> {
    const key = formatRevision(revision);
    const known = this.#commits.get(key);
    if (known !== undefined) return known;
    // A journal that cannot be asked is no reason to hold back what was changed.
    const found = this.#journal.findCommit(revision).then(commitMessage, () => undefined);
    this.#commits.set(key, found);
    const [oldest] = this.#commits.keys();
    if (this.#commits.size > MAX_COMMITS && oldest !== undefined) this.#commits.delete(oldest);
    return found;
  }

  /** Undefined for anything that is not an object, and for one that cannot be read: it is as before, and `status` names it. */
  eventOf(change: Change, at?: number): EncodedEvent | undefined {
    const { value } = change;
    if (value === undefined) return encode(change, at);
    const known = this.#encoded.get(value);
    if (known !== undefined && isSame(known.change, change)) return known.event;
    const event = encode(change);
    if (event !== undefined) this.#encoded.set(value, { change, event });
    return event;
  }
}

/** An answer of events that are encoded already. */
export function encodeAnswer(
  events: readonly EncodedEvent[],
  {
    revision,
    synced,
    commits = [],
  }: Pick<WatchResponse, "revision" | "synced"> & Partial<Pick<WatchResponse, "commits">>,
): Uint8Array {
  const end = toBinary(WatchResponseSchema, create(WatchResponseSchema, { revision, synced, commits }));
  return Buffer.concat([...events.map(({ bytes }) => bytes), end]);
}

function encode(change: Change, at?: number): EncodedEvent | undefined {
  const id = parseStoreKey(change.key);
  if (id === undefined) return undefined;
  const event = eventOf(id, change, at);
  if (event === undefined) return undefined;
  // An answer with nothing but the event: fields of one message may be written one after the other.
  const bytes = toBinary(WatchResponseSchema, create(WatchResponseSchema, { events: [event] }));
  return { kind: id.kind, revision: change.revision, deleted: event.deleted, bytes };
}

function eventOf({ kind, name }: ObjectId, change: Change, at: number | undefined): WatchEvent | undefined {
  const { key, value } = change;
  const revision = formatRevision(change.revision);
  if (value === undefined) {
    const time = at === undefined ? {} : { time: instantOfMs(at) };
    return create(WatchEventSchema, { kind, name, revision, deleted: true, ...time });
  }
  const { content } = readRecord(key, value, change.revision);
  if (content?.is !== "object") return undefined;
  const { stored } = content;
  const time = stored.message.meta?.updateTime;
  const written = { kind, name, revision, ...(time !== undefined && { time }) };
  // An observation has a field of its own.
  const told = isApplied(kind)
    ? { object: anyObject(kind, stored.message as MessageOf[AppliedKind]) }
    : { [kind]: stored.message };
  return create(WatchEventSchema, { ...written, ...told } as MessageInitShape<typeof WatchEventSchema>);
}

function commitMessage(entry: JournalEntry | undefined): WatchCommit | undefined {
  if (entry === undefined) return undefined;
  const { revision, at, actor, operation, reason } = entry;
  const time = instantOfMs(at);
  return create(WatchCommitSchema, { revision: formatRevision(revision), time, actor, operation, reason });
}

function isSame(a: Change, b: Change): boolean {
  return a.key === b.key && a.revision.position === b.revision.position && a.revision.epoch === b.revision.epoch;
}
