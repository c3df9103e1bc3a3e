import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { currentReference } from "../../../scripts/reference.ts";

describe("the generated parts of the docs", () => {
  const files = [...currentReference()].map(([path, text]) => ({ name: basename(path), path, text }));

  it.each(files)("$name is current; else run `npm run reference`", ({ path, text }) => {
    expect(readFileSync(path, "utf8")).toBe(text);
  });
});
