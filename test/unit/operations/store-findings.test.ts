import { expect, test } from "vitest";
import { storeFindings } from "../../../src/operations/observing/store-findings.ts";

const FINE = { kind: "embedded", copies: 1, frozen: undefined, clockOffsetMs: 0 } as const;

test("a store that is well is no finding", () => {
  expect(storeFindings({ ...FINE, clockOffsetMs: 30_000 })).toEqual([]);
});

test("a store that cannot be written is told with its reason and since when", () => {
  const away = { why: "/data/fairlead.db: the disk is full; free some space", since: 1 };
  expect(storeFindings({ ...FINE, away })).toMatchObject([
    { what: "store cannot be written", since: 1, why: expect.stringContaining("free some space") },
  ]);
});

test.each([
  {
    clockOffsetMs: 399 * 86_400_000,
    what: "store's clock is 399 d ahead of this machine's",
    why: /a clock was ahead once/,
  },
  {
    clockOffsetMs: -8 * 3_600_000,
    what: "store's clock is 8 h behind this machine's",
    why: /restart the planes to take it over/,
  },
])("a store whose clock is another than the machine's is told: $what", ({ clockOffsetMs, what, why }) => {
  expect(storeFindings({ ...FINE, clockOffsetMs })).toMatchObject([{ what, why: expect.stringMatching(why) }]);
});
