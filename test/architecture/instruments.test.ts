import { expect, test } from "vitest";
import { readSources } from "./source-file.ts";

test("instruments are made in one place, so that all are registered and read in the same way", () => {
  const making = readSources().filter(({ text }) => /\bnew (?:Counter|Gauge|Histogram|Summary)\b/.test(text));
  expect(making.map(({ path }) => path)).toEqual(["src/runtime/instruments.ts"]);
});
