import { expect, test } from "vitest";
import { boundedByName, MAX_NAMES, OTHERS } from "../../../src/runtime/named-counts.ts";

const counts = (names: number) =>
  new Map(Array.from({ length: names }, (_, i) => [`s${String(names - i).padStart(5, "0")}`, { up: 1, down: i % 2 }]));

test("as many names as there may be keep their own counts", () => {
  expect(boundedByName(counts(MAX_NAMES))).toEqual(counts(MAX_NAMES));
});

test("of more names the first keep theirs, and nothing of the others is lost", () => {
  const bounded = boundedByName(counts(MAX_NAMES + 7));
  expect(bounded.size).toBe(MAX_NAMES + 1);
  expect([...bounded.keys()].slice(0, 2)).toEqual(["s00001", "s00002"]);
  expect(bounded.get(OTHERS)).toEqual({ up: 7, down: 3 });
});
