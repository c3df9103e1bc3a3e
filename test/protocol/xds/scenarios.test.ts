import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runScenario } from "./scenario.ts";

const FOLDER = join(import.meta.dirname, "scenarios");

const scripts = readdirSync(FOLDER).map((file) => {
  const path = join(FOLDER, file);
  // With FAIRLEAD_REWRITE set, what is said is written into the scripts first: then read the diff.
  if (process.env["FAIRLEAD_REWRITE"] !== undefined) writeFileSync(path, sectionsOf(path).map(runSection).join(""));
  const scenarios = sectionsOf(path).filter((section) => section.startsWith("## "));
  return { name: file.replace(".txt", ""), scenarios: scenarios.map((text) => ({ title: titleOf(text), text })) };
});

describe.each(scripts)("scenarios of $name", ({ scenarios }) => {
  it.each(scenarios)("$title", ({ text }) => {
    expect(runSection(text)).toBe(text);
  });
});

function sectionsOf(path: string): string[] {
  return readFileSync(path, "utf8").split(/^(?=## )/m);
}

function titleOf(section: string): string {
  return section.slice(3, section.indexOf("\n"));
}

function runSection(section: string): string {
  return section.startsWith("## ") ? runScenario(section) : section;
}
