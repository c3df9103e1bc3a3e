import { create, toBinary } from "@bufbuild/protobuf";
import { readRecord } from "../control/stored-record.ts";
import { type Kind, parseStoreKey } from "../domain/name.ts";
import {
  type WatchEvent,
  WatchEventSchema,
  type WatchResponse,
  WatchResponseSchema,
} from "../gen/fairlead/admin/v1/observe_pb.ts";
import type { Change } from "../store/state-store.ts";
import { anyObject } from "./any-object.ts";

/** One event of a watch, as it stands in an answer. */
export interface EncodedEvent {
  readonly kind: Kind;
  readonly bytes: Uint8Array;
}

/**
 * The events of all watchers: each stored value is made one once, however many are told of it, and for as long as the store
 * holds the value.
 */
export class WatchEvents {
  readonly #encoded = new WeakMap<Uint8Array, { readonly change: Change; readonly event: EncodedEvent }>();

  /** Nothing for what is no object, and for one that cannot be read: it is as it was before, and is named in `status`. */
  eventOf(change: Change): EncodedEvent | undefined {
    const { value } = change;
    if (value === undefined) return encode(change);
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
  { revision, synced }: Pick<WatchResponse, "revision" | "synced">,
): Uint8Array {
  const end = toBinary(WatchResponseSchema, create(WatchResponseSchema, { revision, synced }));
  return Buffer.concat([...events.map(({ bytes }) => bytes), end]);
}

function encode(change: Change): EncodedEvent | undefined {
  const id = parseStoreKey(change.key);
  if (id === undefined) return undefined;
  const event = eventOf(id, change);
  if (event === undefined) return undefined;
  // An answer with nothing but the event: fields of one message may be written one after the other.
  const bytes = toBinary(WatchResponseSchema, create(WatchResponseSchema, { events: [event] }));
  return { kind: id.kind, bytes };
}

function eventOf({ kind, name }: { kind: Kind; name: string }, change: Change): WatchEvent | undefined {
  const { key, value, revision } = change;
  if (value === undefined) return create(WatchEventSchema, { kind, name, deleted: true });
  const { content } = readRecord(key, value, revision);
  if (content?.is !== "object") return undefined;
  const { stored } = content;
  return stored.kind === "health"
    ? create(WatchEventSchema, { kind, name, health: stored.message })
    : create(WatchEventSchema, { kind, name, object: anyObject(stored.kind, stored.message) });
}

function isSame(a: Change, b: Change): boolean {
  return a.key === b.key && a.revision.position === b.revision.position && a.revision.epoch === b.revision.epoch;
}
