import { type ByteBound, checkBytes } from "./limit-met.ts";

/** The bytes are not the message that they are read as. */
export class UnreadableBytes extends RangeError {}

/** Most fields of one message, known or not: walking over more would hold up all other work. */
const MAX_FIELDS = 1_000_000;

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/**
 * Walks over the fields of one protobuf message. An acknowledgement is read once per proxy and push, so this decodes
 * only what is asked for.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class FieldReader {
  /** The number of the field that `next` moved to. */
  field = 0;
  /** Where that field begins, including its tag. */
  start = 0;
  /** Where the next field begins, once this one was read or skipped. */
  at = 0;
  readonly #bytes: Buffer;
  #type = VARINT;
  #fields = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Moves to the next field, which must be read or skipped before the one after it. Returns false at the end. */
  next(): boolean {
    if (this.at >= this.#bytes.length) return false;
    if (++this.#fields > MAX_FIELDS)
      throw new UnreadableBytes(`it has more than ${MAX_FIELDS.toLocaleString("en")} fields`);
    this.start = this.at;
    const tag = this.uint32();
    this.field = tag >>> 3;
    this.#type = tag & 7;
    return true;
  }

  /** Reads a number of at most 32 bits; returns the lower half of a larger one. */
  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) break;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new UnreadableBytes("a number does not end");
  }

  /** Reads a 64-bit floating-point number. */
  double(): number {
    if (this.#type !== FIXED_64) throw new UnreadableBytes(`field ${this.field} has the wire type ${this.#type}`);
    this.#advance(8);
    return this.#bytes.readDoubleLE(this.at - 8);
  }

  text(): string {
    const from = this.#begin();
    return this.#bytes.toString("utf8", from, this.at);
  }

  /** @throws LimitMet when the text of this field is longer */
  textWithin(bound: ByteBound, field: string): string {
    const from = this.#begin();
    checkBytes(bound, field, this.at - from);
    return this.#bytes.toString("utf8", from, this.at);
  }

  /** As much of the text as fits into `maxBytes`. */
  textStart(maxBytes: number): string {
    const from = this.#begin();
    return this.#bytes.toString("utf8", from, Math.min(this.at, from + maxBytes));
  }

  /** Shares the memory; not a copy. */
  bytes(): Buffer {
    const from = this.#begin();
    return this.#bytes.subarray(from, this.at);
  }

  /** Skips the field. Returns how many bytes a text or an inner message has. */
  skip(): number {
    if (this.#type === LENGTH_DELIMITED) {
      const from = this.#begin();
      return this.at - from;
    }
    if (this.#type === VARINT) this.uint32();
    else if (this.#type === FIXED_64) this.#advance(8);
    else if (this.#type === FIXED_32) this.#advance(4);
    else throw new UnreadableBytes(`field ${this.field} has the wire type ${this.#type}, which proto3 does not have`);
    return 0;
  }

  /** Reads the length, moves past the field, and returns where its content begins. */
  #begin(): number {
    if (this.#type !== LENGTH_DELIMITED)
      throw new UnreadableBytes(`field ${this.field} has the wire type ${this.#type}`);
    const length = this.uint32();
    const from = this.at;
    this.#advance(length);
    return from;
  }

  #advance(length: number): void {
    this.at += length;
    if (this.at > this.#bytes.length) throw new UnreadableBytes(`field ${this.field} ends after its message`);
  }
}
