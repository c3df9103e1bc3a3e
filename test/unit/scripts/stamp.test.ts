import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeUnlessCurrent } from "../../../scripts/generate/stamp.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** A making that copies a proto and the version of a tool to `gen/a`, and counts how often it did. */
function startMaking() {
  const folder = tempFolder();
  const at = (path: string) => join(folder.path, path);
  mkdirSync(at("proto/deep"), { recursive: true });
  mkdirSync(at("gen"));
  writeFileSync(at("proto/deep/a"), "1");
  writeFileSync(at("tool.json"), "1.0");
  const making = { root: folder.path, sources: ["proto", "tool.json"], results: ["gen"], stampFile: at("gen/stamp") };
  let made = 0;
  const run = (make = () => writeFileSync(at("gen/a"), "made")) =>
    makeUnlessCurrent(making, () => {
      made += 1;
      make();
    });
  return { at, run, made: () => made, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

describe("what was made is made again", () => {
  test("not at all when nothing changed but times", () => {
    using making = startMaking();
    making.run();
    utimesSync(making.at("proto/deep/a"), 1, 1);
    utimesSync(making.at("gen/a"), 1, 1);
    making.run();
    expect(making.made()).toBe(1);
  });

  test.each<[string, (at: (path: string) => string) => void]>([
    ["a source changed", (at) => writeFileSync(at("proto/deep/a"), "2")],
    ["a source came", (at) => writeFileSync(at("proto/b"), "")],
    ["a source moved", (at) => renameSync(at("proto/deep/a"), at("proto/a"))],
    ["the tool changed", (at) => writeFileSync(at("tool.json"), "1.1")],
    ["a result is gone", (at) => rmSync(at("gen/a"))],
    ["a result was edited", (at) => writeFileSync(at("gen/a"), "edited")],
    ["something lies beside the results", (at) => writeFileSync(at("gen/old"), "")],
    ["the stamp is gone", (at) => rmSync(at("gen/stamp"))],
  ])("when %s", (_, change) => {
    using making = startMaking();
    making.run();
    change(making.at);
    making.run(() => {
      rmSync(making.at("gen/old"), { force: true });
      writeFileSync(making.at("gen/a"), "made");
    });
    making.run();
    expect(making.made()).toBe(2);
  });

  test("when the last making was broken off", () => {
    using making = startMaking();
    making.run();
    writeFileSync(making.at("proto/deep/a"), "2");
    const breakOff = () => {
      throw new Error("broken off");
    };
    expect(() => making.run(breakOff)).toThrow("broken off");
    writeFileSync(making.at("proto/deep/a"), "1");
    making.run();
    expect(making.made()).toBe(3);
  });
});
