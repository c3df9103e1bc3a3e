import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRecent, readStale } from "../../../src/health/told-checks.ts";

const NOW = 1_000_000;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value));
const anything = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map((text) => Buffer.from(text)),
  fc.array(fc.tuple(fc.string(), fc.record({ backends: fc.anything(), since: fc.anything() }))).map(encodable),
  fc
    .record({ worker: fc.anything(), checks: fc.array(fc.record({ at: fc.anything(), outcome: fc.anything() })) })
    .map(encodable),
);

function encodable(value: unknown): Uint8Array {
  try {
    return encode(value);
  } catch {
    return new Uint8Array();
  }
}

describe("what another replica tells of its checks", () => {
  it("is read as it was told, in the name of who told it", () => {
    const check = { at: 5000, outcome: "fail", reason: "HTTP 503", durationMs: 2.5 } as const;
    expect(readRecent(encode({ worker: "a", checks: [check] }), "b", NOW)).toEqual({ worker: "b", checks: [check] });
    expect(readRecent(encode(null), "b", NOW)).toBeUndefined();
    expect(readStale(encode([["shop", { backends: 3, since: 7 }]]), NOW)).toEqual([
      ["shop", { backends: 3, since: 7 }],
    ]);
  });

  it("holds nothing that cannot be, whatever it is", () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        for (const [name, { backends, since }] of readStale(bytes, NOW)) {
          expect(typeof name).toBe("string");
          expect(Number.isSafeInteger(backends)).toBe(true);
          expect(since).toBeLessThanOrEqual(NOW);
        }
        const recent = readRecent(bytes, "b", NOW);
        expect(recent?.worker ?? "b").toBe("b");
        for (const { at, durationMs } of recent?.checks ?? []) {
          expect(at).toBeLessThanOrEqual(NOW);
          expect(Number.isFinite(durationMs)).toBe(true);
        }
      }),
    );
  });
});
