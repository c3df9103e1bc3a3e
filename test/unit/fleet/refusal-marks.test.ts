import { expect, it } from "vitest";
import {
  acknowledged,
  decodeMarks,
  encodeMarks,
  MAX_AGE_MS,
  MAX_BYTES,
  MAX_BYTES_PER_NODE,
  type Marks,
  NO_MARKS,
  refusedToo,
  surplus,
} from "../../../src/fleet/refusal-marks.ts";

const marks = (refusedAt: number, bytes = 100): Marks => ({ byName: new Map(), refusedAt, bytes });

it("marks come back from their encoding, and those of a release before, which have no time", () => {
  const some = refusedToo(NO_MARKS, "T", ["a", "b"], 7);
  expect(decodeMarks(encodeMarks("edge-1", some))).toMatchObject({ byName: some.byName, refusedAt: 7 });
  expect(decodeMarks(encodeMarks("edge-1", { ...some, refusedAt: 0 }))?.refusedAt).toBe(0);
  expect([...acknowledged(some, "T", ["a"]).byName.values()]).toEqual([{ typeUrl: "T", name: "b" }]);
});

it("the marks of one proxy keep within what the store takes as one value: those refused longest ago go", () => {
  const name = (index: number) => `${index}-${"n".repeat(1000)}`;
  const names = Array.from({ length: 2000 }, (_, index) => name(index));
  const kept = refusedToo(refusedToo(NO_MARKS, "T", names, 1), "T", [name(1200)], 2);
  expect(kept.bytes).toBeLessThanOrEqual(MAX_BYTES_PER_NODE);
  expect(encodeMarks("edge-1", kept).length).toBeLessThanOrEqual(MAX_BYTES_PER_NODE);
  expect([...kept.byName.values()].at(-1)?.name).toBe(name(1200));
  expect(kept.byName.has(`T ${name(0)}`)).toBe(false);
});

it("of all proxies those that refused longest ago are forgotten, by size and by age", () => {
  const day = 24 * 3_600_000;
  const now = MAX_AGE_MS + 10 * day;
  expect(surplus(new Map([["new", marks(now)]]), now)).toEqual([]);
  const aged = new Map([
    ["new", marks(now)],
    ["aged", marks(day)],
    ["unknown", marks(0)],
  ]);
  expect(surplus(aged, now)).toEqual(["aged"]);
  const large = new Map([
    ["new", marks(now, MAX_BYTES / 2)],
    ["older", marks(now - 2, MAX_BYTES / 2)],
    ["unknown", marks(0, 100)],
    ["old", marks(now - 1, 100)],
  ]);
  expect(surplus(large, now)).toEqual(["unknown", "older"]);
});
