import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printable } from "../../../src/domain/printable.ts";
import { decodePosition, encodePosition, MAX_POSITION_BYTES } from "../../../src/nats/peer-position.ts";
import {
  answerParts,
  decodeNameQuestion,
  decodePart,
  decodeQuestion,
  encodeQuestion,
} from "../../../src/nats/peer-question.ts";
import { seal, unseal } from "../../../src/nats/peer-seal.ts";
import { isReplicaName } from "../../../src/store/peers.ts";

const key = createSecretKey(Buffer.alloc(32, 1));
const bytes = fc.uint8Array({ maxLength: 300 });
const sender = fc.record({
  replica: fc.string({ minLength: 1, maxLength: 30 }).filter(isReplicaName),
  instance: fc.stringMatching(/^[A-Za-z0-9-]{1,64}$/),
  since: fc.nat(),
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
});
const position = fc.record(
  {
    revision: fc.record({ epoch: fc.nat(), position: fc.nat() }),
    profiles: fc.array(fc.nat(), { maxLength: 64 }),
    digest: fc.stringMatching(/^[0-9a-f]{16}$/),
    held: fc.constantFrom("state_differs", "store_went_back"),
    storeWentBack: fc.constant(true as const),
    news: fc.nat(),
  },
  { requiredKeys: ["revision", "profiles"] },
);

/** A message, and the same with one byte other than it was. */
const spoilt = (message: Uint8Array, at: number, by: number) => {
  const copy = message.slice();
  const i = at % copy.length;
  copy[i] = (copy[i] ?? 0) ^ by;
  return copy;
};

describe("what a replica says", () => {
  it("is read as it was said, and as long as it may be", () => {
    fc.assert(
      fc.property(sender, fc.option(position, { nil: undefined }), (who, where) => {
        const said = encodePosition({ sender: who, position: where });
        expect(said.byteLength).toBeLessThanOrEqual(MAX_POSITION_BYTES);
        expect(decodePosition(said)).toEqual({ sender: who, position: where });
      }),
    );
    fc.assert(
      fc.property(sender, fc.uuid(), bytes, (who, nonce, content) => {
        expect(decodeQuestion(encodeQuestion({ sender: who, nonce, content }))).toEqual({
          sender: who,
          nonce,
          content,
        });
      }),
    );
  });

  it("is nothing, and no error, whatever bytes stand in its place", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          fc.json().map((text) => Buffer.from(text)),
        ),
        (given) => {
          for (const decode of [decodePosition, decodeQuestion, decodePart, decodeNameQuestion]) decode(given);
          expect(unseal(key, ["position", "x"], given)).toBeUndefined();
        },
      ),
    );
  });

  it("that is spoilt in one byte is still something that can be, or nothing", () => {
    fc.assert(
      fc.property(sender, position, fc.nat(), fc.integer({ min: 1, max: 255 }), (who, where, at, by) => {
        const found = decodePosition(spoilt(encodePosition({ sender: who, position: where }), at, by));
        if (found === undefined) return;
        expect(isReplicaName(found.sender.replica)).toBe(true);
        expect(new Date(found.sender.since).getTime()).not.toBeNaN();
        const { revision, held = "" } = found.position ?? { revision: { epoch: 0, position: 0 } };
        expect([revision.epoch, revision.position].every(Number.isSafeInteger)).toBe(true);
        expect(printable(held)).toBe(held);
      }),
    );
  });

  it("comes in parts that together are the whole, however long", () => {
    for (const length of [0, 1, 256 * 1024, 256 * 1024 + 1, 3_000_000]) {
      const answer = Buffer.alloc(length, 7);
      const parts = Array.from(answerParts(answer), decodePart);
      expect(parts.map((part) => part?.index)).toEqual(parts.map((_, i) => i));
      expect(parts.every((part) => part?.count === parts.length)).toBe(true);
      expect(Buffer.concat(parts.map((part) => part?.content ?? new Uint8Array()))).toEqual(answer);
    }
  });
});

describe("a seal", () => {
  const context = fc.array(fc.string(), { maxLength: 4 });

  it("opens for its key and context and no other, and not when anything is changed", () => {
    const other = createSecretKey(Buffer.alloc(32, 2));
    fc.assert(
      fc.property(context, context, bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (for_, else_, body, at, by) => {
        const sealed = seal(key, for_, body);
        expect(unseal(key, for_, sealed)).toEqual(Buffer.from(body));
        expect(unseal(other, for_, sealed)).toBeUndefined();
        expect(unseal(key, for_, spoilt(sealed, at, by))).toBeUndefined();
        if (JSON.stringify(for_) !== JSON.stringify(else_)) expect(unseal(key, else_, sealed)).toBeUndefined();
      }),
    );
  });
});
