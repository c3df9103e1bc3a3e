import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageError, MessageReader } from "../../../../src/xds/server/message-reader.ts";

const MAX_BYTES = 1000;

describe("messages come out as they went in, however they were cut", () => {
  test("for any messages and any cuts", () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map((message) => framed(message)));
        const received: Buffer[] = [];
        const held: number[] = [];
        const reader = readerOf(
          (message) => received.push(Buffer.from(message)),
          (kept) => held.push(kept),
        );
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          readAll(reader, bytes.subarray(at, at + size));
          at += size;
        }
        expect(received.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
        expect(held.at(-1) ?? 0).toBe(0);
      }),
    );
  });
});

describe("what has not arrived whole is kept", () => {
  test("out of its chunks, in at most twice the bytes that came, whatever length was announced", () => {
    const held: number[] = [];
    const reader = readerOf(
      () => undefined,
      (bytes) => held.push(bytes),
      1_000_000,
    );
    const bytes = framed(Buffer.alloc(1_000_000));
    for (let at = 0; at < 100_000; at += 1000) reader.read(bytes.subarray(at, at + 1000));
    for (const [index, kept] of held.entries()) expect(kept).toBeLessThanOrEqual(2 * (index + 1) * 1000);
  });

  test("until the reader is stopped, and nothing after it", () => {
    const held: number[] = [];
    const reader = readerOf(
      () => undefined,
      (bytes) => held.push(bytes),
    );
    reader.read(framed(Buffer.alloc(100)).subarray(0, 50));
    reader.stop();
    expect(reader.read(Buffer.alloc(50))).toBe(50);
    expect(held.at(-1)).toBe(0);
    expect(held).toHaveLength(2);
  });
});

describe("what cannot be read is an error", () => {
  test("a message that says that it is compressed", () => {
    const reader = readerOf(() => undefined);
    expect(() => reader.read(Buffer.from([1, 0, 0, 0, 0]))).toThrow(MessageError);
  });

  test("one larger than the limit, before its body arrives", () => {
    const reader = readerOf(() => undefined);
    const prefix = framed(Buffer.alloc(MAX_BYTES + 1)).subarray(0, 5);
    expect(() => reader.read(prefix)).toThrow("the request has 1,001 bytes; at most 1,000 (XdsLimits.maxRequestBytes)");
  });

  test("one just as large as the limit is read", () => {
    const received: number[] = [];
    readerOf(({ length }) => received.push(length)).read(framed(Buffer.alloc(MAX_BYTES)));
    expect(received).toEqual([MAX_BYTES]);
  });
});

function readerOf(
  onMessage: (message: Buffer) => void,
  onHeld: (bytes: number) => void = () => undefined,
  maxBytes = MAX_BYTES,
): MessageReader {
  return new MessageReader({ limit: "maxRequestBytes", most: maxBytes }, { received: onMessage, held: onHeld });
}

function readAll(reader: MessageReader, chunk: Buffer): void {
  for (let at = 0; at < chunk.length; ) at = reader.read(chunk, at);
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
