import { hash } from "node:crypto";
import type { SharedTables } from "../protocol/shared-tables.ts";
import { FieldReader } from "./field-reader.ts";

/** Names as a request lists them: the bytes of the repeated field, and the names they hold. */
export type NameList = { readonly bytes: Buffer; readonly names: readonly string[] };

export const NO_NAMES: NameList = { bytes: Buffer.alloc(0), names: [] };

/** Shorter lists are decoded faster than they are found. */
const MIN_SHARED_BYTES = 256;

/**
 * The lists of names that clients send, each decoded once and kept once for all streams that send the same, as most
 * clients of a fleet do.
 */
export class NameLists {
  readonly #tables: SharedTables;

  constructor(tables: SharedTables) {
    this.#tables = tables;
  }

  /** The list with these bytes, which are not kept. */
  of(bytes: Buffer): NameList {
    if (bytes.length === 0) return NO_NAMES;
    if (bytes.length < MIN_SHARED_BYTES) return decode(bytes);
    const key = `list ${bytes.length} ${hash("sha1", bytes, "base64")}`;
    return (
      this.#tables.find<NameList>(key, (other) => other.bytes.equals(bytes)) ?? this.#tables.keep(key, decode(bytes))
    );
  }
}

function decode(bytes: Buffer): NameList {
  const names: string[] = [];
  const reader = new FieldReader(bytes);
  while (reader.next()) names.push(reader.text());
  return { bytes: Buffer.from(bytes), names };
}
