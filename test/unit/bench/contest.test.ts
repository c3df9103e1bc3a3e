import { expect, test } from "vitest";
import { type Repetition, TOLERANCE, undisturbed } from "../../../bench/fanout/contest.ts";

const between = (before: number, after: number): Repetition => ({
  trials: [],
  floors: [{ cpuPerThousand: before }, { cpuPerThousand: after }],
});

test("repetitions count beside which the floor is near the lowest of the row, whichever came first", () => {
  const [quiet, slow, alsoQuiet] = [between(100, 114), between(114, 140), between(110, 108)];
  expect(undisturbed([quiet, slow, alsoQuiet], TOLERANCE)).toEqual([quiet, alsoQuiet]);
  expect(undisturbed([between(140, 150), between(100, 116)], TOLERANCE)).toEqual([]);
});
