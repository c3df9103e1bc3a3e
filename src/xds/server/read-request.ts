import type { DeltaRequest, SotwRequest } from "../protocol/events.ts";
import { FieldReader } from "./field-reader.ts";
import { type NameList, type NameLists, NO_NAMES } from "./name-lists.ts";

/** What decides how a request is read. */
export type ReadContext = {
  readonly maxNames: number;
  readonly lists: NameLists;
};

/** A request as read from the wire; the node is left as bytes, to be read once per stream (R26). */
export type WireRequest<R> = { readonly request: R; readonly node: Buffer | undefined };

const NO_VERSIONS: ReadonlyMap<string, string> = new Map();

/** The field of a name: the same number in both variants. */
const NAMES_FIELD = 3;
const NAMES_TAG = (NAMES_FIELD << 3) | 2;

/**
 * Reads `DiscoveryRequest`. Each one repeats all names that the client wants of the type; those that are byte for byte
 * one of the lists in `earlier` are not walked through again.
 */
export function readDiscoveryRequest(
  bytes: Buffer,
  earlier: Iterable<NameList>,
  { maxNames, lists }: ReadContext,
): WireRequest<Omit<SotwRequest, "names">> & { readonly list: NameList } {
  const reader = new FieldReader(bytes);
  let versionInfo = "";
  let typeUrl = "";
  let nonce = "";
  let node: Buffer | undefined;
  let error: SotwRequest["error"];
  let known: NameList | undefined;
  const names = new NameRegions(bytes, maxNames);
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) versionInfo = reader.text();
    else if (field === 2) node = reader.bytes();
    else if (field === NAMES_FIELD) {
      known = names.count === 0 ? listAt(bytes, reader.start, earlier) : undefined;
      if (known) reader.at = reader.start + known.bytes.length;
      else names.add(reader);
    } else if (field === 4) typeUrl = reader.text();
    else if (field === 5) nonce = reader.text();
    else if (field === 6) error = readStatus(reader.bytes());
    else reader.skip();
  }
  return { request: { typeUrl, versionInfo, nonce, error }, node, list: known ?? lists.of(names.joined()) };
}

/** Reads `DeltaDiscoveryRequest`. */
export function readDeltaRequest(bytes: Buffer, { maxNames, lists }: ReadContext): WireRequest<DeltaRequest> {
  const reader = new FieldReader(bytes);
  let typeUrl = "";
  let nonce = "";
  let node: Buffer | undefined;
  let error: DeltaRequest["error"];
  const names = new NameRegions(bytes, maxNames);
  let unsubscribe: string[] | undefined;
  let initialVersions: Map<string, string> | undefined;
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) node = reader.bytes();
    else if (field === 2) typeUrl = reader.text();
    else if (field === NAMES_FIELD) names.add(reader);
    else if (field === 4) {
      unsubscribe ??= [];
      unsubscribe.push(reader.text());
      if (unsubscribe.length > maxNames) throw new TooManyNames(maxNames);
    } else if (field === 5) {
      const [name, version] = readEntry(reader.bytes());
      initialVersions ??= new Map();
      initialVersions.set(name, version);
      if (initialVersions.size > maxNames) throw new TooManyNames(maxNames);
    } else if (field === 6) nonce = reader.text();
    else if (field === 7) error = readStatus(reader.bytes());
    else reader.skip();
  }
  const subscribe = names.count === 0 ? NO_NAMES.names : lists.of(names.joined()).names;
  const request = {
    typeUrl,
    nonce,
    error,
    subscribe,
    unsubscribe: unsubscribe ?? NO_NAMES.names,
    initialVersions: initialVersions ?? NO_VERSIONS,
  };
  return { request, node };
}

/** A request names more than the stated limit. */
export class TooManyNames extends Error {
  constructor(maxNames: number) {
    super(`a request may name at most ${maxNames} resources`);
  }
}

/** Where the names of a request lie in its bytes: in one piece, as libraries write them, or in several. */
class NameRegions {
  count = 0;
  readonly #bytes: Buffer;
  readonly #maxNames: number;
  #from = 0;
  #to = 0;
  #before: Buffer[] | undefined;

  constructor(bytes: Buffer, maxNames: number) {
    this.#bytes = bytes;
    this.#maxNames = maxNames;
  }

  /** Takes the name that the reader is at. */
  add(reader: FieldReader): void {
    const { start } = reader;
    reader.skip();
    if (this.count > 0 && start !== this.#to) {
      this.#before ??= [];
      this.#before.push(this.#bytes.subarray(this.#from, this.#to));
    }
    if (this.count === 0 || start !== this.#to) this.#from = start;
    this.#to = reader.at;
    this.count++;
    if (this.count > this.#maxNames) throw new TooManyNames(this.#maxNames);
  }

  joined(): Buffer {
    const last = this.#bytes.subarray(this.#from, this.#to);
    return this.#before ? Buffer.concat([...this.#before, last]) : last;
  }
}

/** The list that stands at this place, and ends with it. */
function listAt(bytes: Buffer, at: number, lists: Iterable<NameList>): NameList | undefined {
  for (const list of lists) {
    const end = at + list.bytes.length;
    if (end <= at || end > bytes.length || bytes[end] === NAMES_TAG) continue;
    if (list.bytes.compare(bytes, at, end) === 0) return list;
  }
  return undefined;
}

function readStatus(bytes: Buffer): { code: number; message: string } {
  const reader = new FieldReader(bytes);
  const status = { code: 0, message: "" };
  while (reader.next()) {
    if (reader.field === 1) status.code = reader.uint32() | 0;
    else if (reader.field === 2) status.message = reader.text();
    else reader.skip();
  }
  return status;
}

function readEntry(bytes: Buffer): [string, string] {
  const reader = new FieldReader(bytes);
  let key = "";
  let value = "";
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = reader.text();
    else reader.skip();
  }
  return [key, value];
}
