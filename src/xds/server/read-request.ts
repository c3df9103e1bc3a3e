import type { DeltaRequest, SotwRequest } from "../protocol/events.ts";
import type { SharedTables } from "../protocol/shared-tables.ts";
import { FieldReader } from "./field-reader.ts";
import { type ByteBound, checkBytes, LimitMet } from "./limit-met.ts";
import type { XdsLimits } from "./limits.ts";
import { type NameList, NameLists, NO_NAMES } from "./name-lists.ts";

export type ReadContext = ReturnType<typeof readContext>;

/** What decides how requests are read: the same for all streams of a server. */
export function readContext(limits: XdsLimits, tables: SharedTables) {
  return {
    limits,
    lists: new NameLists(tables),
    name: { limit: "maxNameBytes", most: limits.maxNameBytes } satisfies ByteBound,
    version: { limit: "maxVersionBytes", most: limits.maxVersionBytes } satisfies ByteBound,
  } as const;
}

/** A request as read from the wire; the node is left as bytes, to be read once per stream (xds R26). */
export type WireRequest<R> = { readonly request: R; readonly node: Buffer | undefined };

const NO_VERSIONS: ReadonlyMap<string, string> = new Map();

/** The field number of a name, the same in both variants. */
const NAMES_FIELD = 3;
const NAMES_TAG = (NAMES_FIELD << 3) | 2;

/**
 * Reads `DiscoveryRequest`. Each one repeats all names that the client wants of the type; names that match one of the
 * lists in `earlier` byte for byte are not walked through again.
 */
export function readDiscoveryRequest(
  bytes: Buffer,
  earlier: Iterable<NameList>,
  { limits, lists, name, version }: ReadContext,
): WireRequest<Omit<SotwRequest, "names">> & { readonly list: NameList } {
  const reader = new FieldReader(bytes);
  let versionInfo = "";
  let typeUrl = "";
  let nonce = "";
  let node: Buffer | undefined;
  let error: SotwRequest["error"];
  let known: NameList | undefined;
  const names = new NameRegions(bytes, name, limits.maxNames);
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) versionInfo = reader.textWithin(version, "version_info");
    else if (field === 2) node = nodeBytes(reader, limits);
    else if (field === NAMES_FIELD) {
      known = names.count === 0 ? listAt(bytes, reader.start, earlier) : undefined;
      if (known) reader.at = reader.start + known.bytes.length;
      else names.add(reader);
    } else if (field === 4) typeUrl = reader.textWithin(name, "type_url");
    else if (field === 5) nonce = reader.textWithin(version, "response_nonce");
    else if (field === 6) error = readStatus(reader.bytes(), limits.maxRefusalTextBytes);
    else reader.skip();
  }
  return { request: { typeUrl, versionInfo, nonce, error }, node, list: known ?? lists.of(names.joined()) };
}

/** Reads `DeltaDiscoveryRequest`. */
export function readDeltaRequest(
  bytes: Buffer,
  { limits, lists, name, version }: ReadContext,
): WireRequest<DeltaRequest> {
  const reader = new FieldReader(bytes);
  let typeUrl = "";
  let nonce = "";
  let node: Buffer | undefined;
  let error: DeltaRequest["error"];
  const names = new NameRegions(bytes, name, limits.maxNames);
  let unsubscribe: string[] | undefined;
  let initialVersions: Map<string, string> | undefined;
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) node = nodeBytes(reader, limits);
    else if (field === 2) typeUrl = reader.textWithin(name, "type_url");
    else if (field === NAMES_FIELD) names.add(reader);
    else if (field === 4) {
      unsubscribe ??= [];
      unsubscribe.push(reader.textWithin(name, "a name in resource_names_unsubscribe"));
      checkCount(unsubscribe.length, limits.maxNames);
    } else if (field === 5) {
      initialVersions ??= new Map();
      initialVersions.set(...readEntry(reader.bytes(), name, version));
      checkCount(initialVersions.size, limits.maxNames);
    } else if (field === 6) nonce = reader.textWithin(version, "response_nonce");
    else if (field === 7) error = readStatus(reader.bytes(), limits.maxRefusalTextBytes);
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

/** Where the names of a request lie in its bytes: in one piece, as libraries write them, or in several. */
class NameRegions {
  count = 0;
  readonly #bytes: Buffer;
  readonly #bound: ByteBound;
  readonly #most: number;
  #from = 0;
  #to = 0;
  #before: Buffer[] | undefined;

  /** @param bound The bound on one name; `most` is the bound on their number. */
  constructor(bytes: Buffer, bound: ByteBound, most: number) {
    this.#bytes = bytes;
    this.#bound = bound;
    this.#most = most;
  }

  /** Adds the name that the reader is at. */
  add(reader: FieldReader): void {
    const { start } = reader;
    checkBytes(this.#bound, "a name of a resource", reader.skip());
    if (this.count > 0 && start !== this.#to) {
      this.#before ??= [];
      this.#before.push(this.#bytes.subarray(this.#from, this.#to));
    }
    if (this.count === 0 || start !== this.#to) this.#from = start;
    this.#to = reader.at;
    this.count++;
    checkCount(this.count, this.#most);
  }

  joined(): Buffer {
    const last = this.#bytes.subarray(this.#from, this.#to);
    return this.#before ? Buffer.concat([...this.#before, last]) : last;
  }
}

/** The list that the bytes at this place repeat, and that no further name follows. */
function listAt(bytes: Buffer, at: number, lists: Iterable<NameList>): NameList | undefined {
  for (const list of lists) {
    const end = at + list.bytes.length;
    if (end <= at || end > bytes.length || bytes[end] === NAMES_TAG) continue;
    if (list.bytes.compare(bytes, at, end) === 0) return list;
  }
  return undefined;
}

function nodeBytes(reader: FieldReader, { maxNodeBytes }: ReadContext["limits"]): Buffer {
  const bytes = reader.bytes();
  checkBytes({ limit: "maxNodeBytes", most: maxNodeBytes }, "node", bytes.length);
  return bytes;
}

function checkCount(names: number, most: number): void {
  if (names > most)
    throw new LimitMet("maxNames", `the request names ${names.toLocaleString("en")} or more resources`, most);
}

function readStatus(bytes: Buffer, maxTextBytes: number): { code: number; message: string } {
  const reader = new FieldReader(bytes);
  const status = { code: 0, message: "" };
  while (reader.next()) {
    if (reader.field === 1) status.code = reader.uint32() | 0;
    else if (reader.field === 2) status.message = reader.textStart(maxTextBytes);
    else reader.skip();
  }
  return status;
}

function readEntry(bytes: Buffer, nameWithin: ByteBound, versionWithin: ByteBound): [string, string] {
  const reader = new FieldReader(bytes);
  let key = "";
  let value = "";
  while (reader.next()) {
    if (reader.field === 1) key = reader.textWithin(nameWithin, "a name in initial_resource_versions");
    else if (reader.field === 2) value = reader.textWithin(versionWithin, "a version in initial_resource_versions");
    else reader.skip();
  }
  return [key, value];
}
