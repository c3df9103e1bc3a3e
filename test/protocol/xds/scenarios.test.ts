import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { runScenario } from "./scenario.ts";

/** Our own scenarios, and those of others' suites, a file for each source. */
const OURS = join(import.meta.dirname, "scenarios");
const OTHERS = join(import.meta.dirname, "conformance");

const paths = [OURS, OTHERS].flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)));
const scripts = paths.map((path) => {
  // With FAIRLEAD_REWRITE set, what is said is written into the scripts first: then read the diff.
  if (process.env["FAIRLEAD_REWRITE"] !== undefined) writeFileSync(path, sectionsOf(path).map(runSection).join(""));
  const scenarios = sectionsOf(path).filter((section) => section.startsWith("## "));
  const named = scenarios.map((text) => ({ title: titleOf(text), text }));
  return { name: basename(path, ".txt"), isOurs: path.startsWith(OURS), scenarios: named };
});

describe.each(scripts)("scenarios of $name", ({ scenarios }) => {
  it.each(scenarios)("$title", ({ text }) => {
    expect(runSection(text)).toBe(text);
  });
});

describe.each(scripts.filter(({ isOurs }) => !isOurs))(
  "xds C16: scenarios of $name, on a stream for their type",
  (script) => {
    it.each(script.scenarios.filter(({ text }) => isOfOneType(text)))("$title", ({ text }) => {
      expect(runScenario(text, { aggregated: false })).toBe(text);
    });
  },
);

it("every source is in the table of the engine's page", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/xds.md"), "utf8");
  const named = scripts.filter(
    ({ isOurs, name }) => !isOurs && page.includes(`test/protocol/xds/conformance/${name}.txt`),
  );
  expect(named).toHaveLength(scripts.filter(({ isOurs }) => !isOurs).length);
});

/** Whether a client could run it on a stream that is not aggregated. */
function isOfOneType(section: string): boolean {
  return new Set(Array.from(section.matchAll(/^req (\w+)/gm), ([, type]) => type)).size === 1;
}

function sectionsOf(path: string): string[] {
  return readFileSync(path, "utf8").split(/^(?=## )/m);
}

function titleOf(section: string): string {
  return section.slice(3, section.indexOf("\n"));
}

function runSection(section: string): string {
  return section.startsWith("## ") ? runScenario(section) : section;
}
