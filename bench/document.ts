/** `npm run bench -- document FILE…`: puts the results that were kept into the documents. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { contestText } from "./fanout/report.ts";
import type { FanoutResults } from "./fanout/results.ts";
import { targetsText } from "./fanout/targets.ts";
import { type GrowthResults, growthText } from "./growth/run.ts";
import { COSTS_FILE, examplesText } from "./growth/sizing-table.ts";
import { machineText } from "./machine.ts";

const docs = join(import.meta.dirname, "../docs");
const BEGIN = "<!-- results: written by `npm run bench -- document` -->";
const END = "<!-- end of results -->";

/**
 * Rows of several runs of the fan-out bench stand together, as if they were one.
 *
 * @throws Error when a file holds no results, or a document has no place for them.
 */
export async function runDocument(files: readonly string[]): Promise<undefined> {
  const runs: FanoutResults[] = [];
  for (const file of files) {
    const results = JSON.parse(readFileSync(file, "utf8")) as FanoutResults | GrowthResults;
    if (results.name === "fanout") runs.push(results);
    else if (results.name === "growth") {
      writeFileSync(COSTS_FILE, `${JSON.stringify(results.costs, null, 2)}\n`);
      write("sizing.md", [growthText(results), "Examples:", examplesText(results.costs)].join("\n\n"));
    } else throw new Error(`${file} holds neither the results of fanout nor of growth`);
  }
  if (runs.length > 0) write("performance.md", fanoutDocument(runs));
  return undefined;
}

function fanoutDocument(runs: readonly FanoutResults[]): string {
  const made = runs.map(
    ({ command, at, minutes, machine }) =>
      `\`${command}\`, ${at.slice(0, 10)}, in ${minutes} minutes. ${machineText(machine)}.`,
  );
  const contests = runs.flatMap((run) => run.contests);
  const tables = contests.map((contest) => contestText(contest, false));
  return [...made, "### Targets", targetsText(contests), "### All rows", ...tables].join("\n\n");
}

function write(name: string, text: string): void {
  const file = join(docs, name);
  const old = readFileSync(file, "utf8");
  const from = old.indexOf(BEGIN);
  const to = old.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${name} has no place for results: ${BEGIN} … ${END}`);
  writeFileSync(file, `${old.slice(0, from)}${BEGIN}\n\n${text}\n\n${old.slice(to)}`);
  console.log(`wrote docs/${name}`);
}
