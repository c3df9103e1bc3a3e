import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MessageError, MessageReader } from "../../../../src/xds/server/message-reader.ts";

const MAX_BYTES = 1000;

describe("messages come out as they went in, however they were cut", () => {
  test("for any messages and any cuts", () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map((message) => framed(message)));
        const received: Buffer[] = [];
        const reader = new MessageReader(MAX_BYTES, (message) => received.push(Buffer.from(message)));
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          reader.read(bytes.subarray(at, at + size));
          at += size;
        }
        expect(received.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
      }),
    );
  });
});

describe("what cannot be read is an error with its gRPC status", () => {
  test.each([
    ["a message that says that it is compressed", Buffer.from([1, 0, 0, 0, 0]), status.INTERNAL],
    [
      "one larger than the limit, before its body arrives",
      framed(Buffer.alloc(MAX_BYTES + 1)).subarray(0, 5),
      status.RESOURCE_EXHAUSTED,
    ],
  ])("%s", (_, bytes, code) => {
    const reader = new MessageReader(MAX_BYTES, () => undefined);
    expect(() => reader.read(bytes)).toThrow(expect.objectContaining({ code }) as MessageError);
  });

  test("one just as large as the limit is read", () => {
    const received: number[] = [];
    new MessageReader(MAX_BYTES, ({ length }) => received.push(length)).read(framed(Buffer.alloc(MAX_BYTES)));
    expect(received).toEqual([MAX_BYTES]);
  });
});

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
