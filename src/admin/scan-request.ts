import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
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
  try {
    scan(bytes, desc, [all], (field, whole, content) => {
      if (field?.fieldKind === "list" && field.listKind === "message") {
        elements.push({ field, bytes: content });
        return [all, new Budget(`fields of ${field.name}[${elements.length - 1}]`, MAX_OBJECT_FIELDS)];
      }
      rest.push(whole);
      return [all];
    });
  } catch (thrown) {
    throw thrown instanceof ControlPlaneError ? thrown : malformed(desc, thrown);
  }
  return { rest, elements };
}

/** @param cause What the reader of the bytes says against them. */
export function malformed(request: DescMessage, cause: unknown): ControlPlaneError {
  return new ControlPlaneError({
    kind: "invalid",
    code: "MALFORMED_REQUEST",
    message: `the request is not a well-formed ${request.typeName}`,
    cause,
  });
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

function scan(bytes: Uint8Array, desc: DescMessage, budgets: readonly Budget[], onField?: OnField, depth = 0): void {
  if (depth > MAX_DEPTH) throw new Error("messages are nested too deep");
  const reader = new BinaryReader(bytes);
  const maps = new Map<number, Budget>();
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [no, wireType] = reader.tag();
    for (const budget of budgets) budget.spend(1);
    const field = fieldOf(desc, no);
    if (field !== undefined && !fits(field, wireType)) throw new Error(`${field.name} has wire type ${wireType}`);
    const content = contentOf(reader, wireType);
    const inner = onField?.(field, bytes.subarray(start, reader.pos), content) ?? budgets;
    if (field === undefined) continue;
    if (field.fieldKind === "map") {
      const entries = maps.get(no) ?? new Budget(`entries of ${desc.name}.${field.name}`, MAX_MAP_ENTRIES);
      entries.spend(1);
      maps.set(no, entries);
      if (field.mapKind === "message") scanEntry(content, field.message, inner, depth);
    } else if (field.message !== undefined) {
      scan(content, field.message, inner, undefined, depth + 1);
    } else if (field.fieldKind === "list" && wireType === WireType.LengthDelimited && !isText(field)) {
      for (const budget of inner) budget.spend(packedCount(content));
    }
  }
}

/** A map's entry is a message of a key and a value. */
function scanEntry(bytes: Uint8Array, value: DescMessage, budgets: readonly Budget[], depth: number): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    for (const budget of budgets) budget.spend(1);
    const content = contentOf(reader, wireType);
    if (no === 2 && wireType === WireType.LengthDelimited) scan(content, value, budgets, undefined, depth + 2);
  }
}

/** Steps over a value; returns the content of a length-delimited one. No message here has groups. */
function contentOf(reader: BinaryReader, wireType: WireType): Uint8Array {
  if (wireType === WireType.LengthDelimited) return reader.bytes();
  if (wireType === WireType.StartGroup) throw new Error("there are no groups");
  reader.skip(wireType);
  return NOTHING;
}

const NOTHING = new Uint8Array();

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
function fits(field: DescField, wireType: WireType): boolean {
  if (field.message !== undefined || field.fieldKind === "map" || isText(field)) {
    return wireType === WireType.LengthDelimited;
  }
  const own = field.scalar === undefined ? WireType.Varint : (FIXED[field.scalar] ?? WireType.Varint);
  return wireType === own || (field.fieldKind === "list" && wireType === WireType.LengthDelimited);
}

function isText({ scalar }: DescField): boolean {
  return scalar === ScalarType.STRING || scalar === ScalarType.BYTES;
}

const FIXED: { readonly [T in ScalarType]?: WireType } = {
  [ScalarType.DOUBLE]: WireType.Bit64,
  [ScalarType.FIXED64]: WireType.Bit64,
  [ScalarType.SFIXED64]: WireType.Bit64,
  [ScalarType.FLOAT]: WireType.Bit32,
  [ScalarType.FIXED32]: WireType.Bit32,
  [ScalarType.SFIXED32]: WireType.Bit32,
};
