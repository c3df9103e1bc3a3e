import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { FieldReader, UnreadableBytes } from "./field-reader.ts";

/** Deeper nesting would exhaust the stack. */
const MAX_DEPTH = 32;

/**
 * Reads a `google.protobuf.Struct`. `count` is called for each value, including nested ones, before it is decoded:
 * anything it throws ends the reading.
 *
 * @throws UnreadableBytes when it is not a struct, or is nested too deeply
 */
export function readStruct(bytes: Buffer, count: () => void): JsonObject {
  return structAt(bytes, count, 0);
}

function structAt(bytes: Buffer, count: () => void, depth: number): JsonObject {
  // Unlike an assignment, this makes a plain property of a key such as "__proto__".
  return Object.fromEntries(membersOf(bytes, count, depth).map((entry) => entryAt(entry, count, depth)));
}

/** The members of a struct or a list: both are one repeated field. */
function membersOf(bytes: Buffer, count: () => void, depth: number): Buffer[] {
  if (depth > MAX_DEPTH) throw new UnreadableBytes(`metadata is nested deeper than ${MAX_DEPTH}`);
  const members: Buffer[] = [];
  const reader = new FieldReader(bytes);
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    count();
    members.push(reader.bytes());
  }
  return members;
}

function entryAt(bytes: Buffer, count: () => void, depth: number): [string, JsonValue] {
  const reader = new FieldReader(bytes);
  let key = "";
  let value: JsonValue = null;
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = valueAt(reader.bytes(), count, depth);
    else reader.skip();
  }
  return [key, value];
}

function valueAt(bytes: Buffer, count: () => void, depth: number): JsonValue {
  const reader = new FieldReader(bytes);
  let value: JsonValue = null;
  while (reader.next()) {
    if (reader.field === 2) value = reader.double();
    else if (reader.field === 3) value = reader.text();
    else if (reader.field === 4) value = reader.uint32() !== 0;
    else if (reader.field === 5) value = structAt(reader.bytes(), count, depth + 1);
    else if (reader.field === 6) value = listAt(reader.bytes(), count, depth + 1);
    else {
      reader.skip();
      if (reader.field === 1) value = null;
    }
  }
  return value;
}

function listAt(bytes: Buffer, count: () => void, depth: number): JsonValue[] {
  return membersOf(bytes, count, depth).map((member) => valueAt(member, count, depth));
}
