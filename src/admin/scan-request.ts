import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { ControlPlaneError } from "../domain/errors.ts";
import { exhausted } from "./exhausted.ts";

/** The most fields of a whole request, including those of inner messages and each element of a list. */
export const MAX_FIELDS = 250_000;
/** The most fields of one object of a request that has several. */
export const MAX_OBJECT_FIELDS = 100_000;
/** The most entries of one map. The limit for a map of an object is lower, and is checked where the object's fields are. */
export const MAX_MAP_ENTRIES = 1_024;
/** How deep messages may be nested. */
const MAX_DEPTH = 32;

/** How a value is written; groups, which nothing here uses, are left out. */
const WIRE = { varint: 0, bit64: 1, bytes: 2, bit32: 5 } as const;

/** An element of a list of messages that the request holds itself: an object of an `Apply`. */
export interface RequestElement {
  readonly field: DescField & { readonly fieldKind: "list"; readonly listKind: "message" };
  readonly bytes: Uint8Array;
}

/** A request taken apart: `rest` decodes to all of it but its elements. */
export interface RequestParts {
  readonly rest: readonly Uint8Array[];
  readonly elements: readonly RequestElement[];
}

/**
 * Counts what a request would be decoded to before it is decoded: a message of a few megabytes can hold millions of
 * fields, which take seconds and gigabytes.
 *
 * @throws ControlPlaneError `exhausted` / `TOO_MANY_FIELDS`; `invalid` / `MALFORMED_REQUEST`, also if a decoder could read the
 * bytes another way.
 */
export function scanRequest(desc: DescMessage, bytes: Uint8Array): RequestParts {
  const rest: Uint8Array[] = [];
  const elements: RequestElement[] = [];
  const all = new Budget(`fields of ${desc.typeName}`, MAX_FIELDS);
  scan(new Reader(desc, bytes), desc, [all], (field, whole, content) => {
    if (field?.fieldKind === "list" && field.listKind === "message") {
      elements.push({ field, bytes: content });
      return [all, new Budget(`fields of ${field.name}[${elements.length - 1}]`, MAX_OBJECT_FIELDS)];
    }
    rest.push(whole);
    return [all];
  });
  return { rest, elements };
}

class Budget {
  readonly #what: string;
  readonly #max: number;
  #left: number;

  constructor(what: string, max: number) {
    this.#what = what;
    this.#max = max;
    this.#left = max;
  }

  spend(count: number): void {
    this.#left -= count;
    if (this.#left >= 0) return;
    throw exhausted("TOO_MANY_FIELDS", {
      limit: this.#what,
      came: `more than ${this.#max}`,
      max: this.#max,
      cure: "split the request",
    });
  }
}

/** Called for each field of the request itself; returns the budgets that its inner fields count against. */
type OnField = (field: DescField | undefined, whole: Uint8Array, content: Uint8Array) => readonly Budget[];

function scan(reader: Reader, desc: DescMessage, budgets: readonly Budget[], onField?: OnField, depth = 0): void {
  if (depth > MAX_DEPTH) throw reader.malformed();
  const maps = new Map<number, Budget>();
  while (reader.hasMore) {
    const start = reader.position;
    const [no, wireType] = reader.tag();
    for (const budget of budgets) budget.spend(1);
    const field = fieldOf(desc, no);
    if (field !== undefined && !fits(field, wireType)) throw reader.malformed();
    const content = reader.value(wireType);
    const inner = onField?.(field, reader.since(start), content) ?? budgets;
    if (field === undefined) continue;
    if (field.fieldKind === "map") {
      const entries = maps.get(no) ?? new Budget(`entries of ${desc.name}.${field.name}`, MAX_MAP_ENTRIES);
      entries.spend(1);
      maps.set(no, entries);
      if (field.mapKind === "message") scanEntry(reader.within(content), field.message, inner, depth);
    } else if (field.message !== undefined) {
      scan(reader.within(content), field.message, inner, undefined, depth + 1);
    } else if (field.fieldKind === "list" && wireType === WIRE.bytes && !isText(field)) {
      for (const budget of inner) budget.spend(packedCount(content));
    }
  }
}

/** A map's entry is a message of a key and a value. */
function scanEntry(reader: Reader, value: DescMessage, budgets: readonly Budget[], depth: number): void {
  while (reader.hasMore) {
    const [no, wireType] = reader.tag();
    for (const budget of budgets) budget.spend(1);
    const content = reader.value(wireType);
    if (no === 2 && wireType === WIRE.bytes) {
      scan(reader.within(content), value, budgets, undefined, depth + 2);
    }
  }
}

/** Numbers in a packed list; of those with a fixed length it is more than there are. */
function packedCount(content: Uint8Array): number {
  let count = 0;
  for (const byte of content) if (byte < 0x80) count += 1;
  return count;
}

const fieldsOf = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldOf(desc: DescMessage, no: number): DescField | undefined {
  let fields = fieldsOf.get(desc);
  if (fields === undefined) {
    fields = new Map(desc.fields.map((field) => [field.number, field]));
    fieldsOf.set(desc, fields);
  }
  return fields.get(no);
}

/** Whether a field may have this wire type. A decoder goes by the field, not the wire type, and would read on elsewhere. */
function fits(field: DescField, wireType: number): boolean {
  if (field.message !== undefined || field.fieldKind === "map" || isText(field)) {
    return wireType === WIRE.bytes;
  }
  const own = field.scalar === undefined ? WIRE.varint : (FIXED[field.scalar] ?? WIRE.varint);
  return wireType === own || (field.fieldKind === "list" && wireType === WIRE.bytes);
}

function isText({ scalar }: DescField): boolean {
  return scalar === ScalarType.STRING || scalar === ScalarType.BYTES;
}

const FIXED: { readonly [T in ScalarType]?: number } = {
  [ScalarType.DOUBLE]: WIRE.bit64,
  [ScalarType.FIXED64]: WIRE.bit64,
  [ScalarType.SFIXED64]: WIRE.bit64,
  [ScalarType.FLOAT]: WIRE.bit32,
  [ScalarType.FIXED32]: WIRE.bit32,
  [ScalarType.SFIXED32]: WIRE.bit32,
};

/** Goes through the fields of one message without decoding them. */
class Reader {
  readonly #request: DescMessage;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(request: DescMessage, bytes: Uint8Array) {
    this.#request = request;
    this.#bytes = bytes;
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  get position(): number {
    return this.#at;
  }

  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#at);
  }

  within(content: Uint8Array): Reader {
    return new Reader(this.#request, content);
  }

  tag(): [no: number, wireType: number] {
    const tag = this.#varint();
    return [Math.floor(tag / 8), tag % 8];
  }

  /** Steps over a value; returns the content of a length-delimited one. */
  value(wireType: number): Uint8Array {
    if (wireType === WIRE.varint) this.#varint();
    else if (wireType === WIRE.bit64) this.#at += 8;
    else if (wireType === WIRE.bit32) this.#at += 4;
    else if (wireType === WIRE.bytes) {
      const length = this.#varint();
      const start = this.#at;
      this.#at += length;
      if (this.#at <= this.#bytes.length) return this.#bytes.subarray(start, this.#at);
    } else throw this.malformed();
    if (this.#at > this.#bytes.length) throw this.malformed();
    return NOTHING;
  }

  malformed(): ControlPlaneError {
    return new ControlPlaneError({
      kind: "invalid",
      code: "MALFORMED_REQUEST",
      message: `the request is no ${this.#request.typeName}`,
    });
  }

  #varint(): number {
    let value = 0;
    for (let shift = 1; shift <= 2 ** 63; shift *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte % 128) * shift;
      if (byte < 128) return value;
    }
    throw this.malformed();
  }
}

const NOTHING = new Uint8Array();
