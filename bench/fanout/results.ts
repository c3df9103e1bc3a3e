/** What a run found, as it is kept in a file of JSON and read again. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Machine } from "../machine.ts";
import type { Contestant } from "./programs.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import type { Figures } from "./trial.ts";
import type { Row } from "./workloads.ts";

export interface FanoutResults {
  readonly name: "fanout";
  readonly at: string;
  /** The command that gives these results. */
  readonly command: string;
  readonly minutes: number;
  readonly smoke: boolean;
  readonly machine: Machine;
  readonly contests: readonly ContestResult[];
}

export interface ContestResult {
  readonly row: Row;
  readonly nodes: number;
  readonly trials: Partial<Record<Contestant, readonly Figures[]>>;
  readonly floors: readonly Figures[];
  readonly failures: readonly string[];
  /** Repetitions that do not count, since the floor beside them was too far above the lowest. */
  readonly disturbed: number;
}

export type Summary = Readonly<Record<string, Spread>>;

/** Whether any repetition counts. */
export function isQuiet({ floors }: ContestResult): boolean {
  return floors.length > 0;
}

export function titleOf({ row, nodes }: Pick<ContestResult, "row" | "nodes">): string {
  return `${row.workload} ${row.variant}${row.tls ? " TLS" : ""}, N = ${nodes}: ${row.title}`;
}

/** Nothing when the contestant has not finished once. */
export function summaryOf({ trials }: ContestResult, contestant: Contestant): Summary | undefined {
  const figures = trials[contestant] ?? [];
  return figures.length === 0 ? undefined : summarize(figures);
}

export function summarize(trials: readonly Figures[]): Summary {
  const names = Object.keys(trials[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, spreadOf(trials.map((trial) => trial[name] ?? Number.NaN))]));
}

/** Written after each row, so that a run which is cut off leaves what it has found. @returns the path from the current folder */
export function keepResults(results: { readonly name: string; readonly at: string }): string {
  const stem = `${results.name}-${results.at.replaceAll(/[:.]/g, "-")}`;
  const file = join(import.meta.dirname, "../results", `${stem}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return relative(process.cwd(), file);
}
