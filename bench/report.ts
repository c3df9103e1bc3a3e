/** What a bench found: printed as a table, kept as JSON. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describeMachine, machineText } from "./machine.ts";
import { markdownTable } from "./markdown-table.ts";

export interface BenchReport {
  readonly name: string;
  /** Facts about the run: versions, sizes, counts. */
  readonly setting: Readonly<Record<string, string | number>>;
  readonly rows: readonly BenchRow[];
}

export interface BenchRow {
  readonly what: string;
  /** Every measured value, in milliseconds. */
  readonly samplesMs: readonly number[];
  /** The largest p99 that is good enough, where there is a promise. */
  readonly promisedP99Ms?: number;
}

interface Quantiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export function printReport({ name, setting, rows }: BenchReport): void {
  console.log(`\n${name}: ${machineText({ ...describeMachine(), ...setting })}\n`);
  const figures = rows.map(({ what, samplesMs, promisedP99Ms }) => {
    const { count, p50Ms, p90Ms, p99Ms, maxMs } = quantiles(samplesMs);
    const times = [p50Ms, p90Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1));
    return [what, count, ...times, promisedP99Ms === undefined ? "" : `≤ ${promisedP99Ms}`];
  });
  console.log(markdownTable(["milliseconds", "count", "p50", "p90", "p99", "max", "promised p99"], figures));
}

/** @returns the file's path, from the current folder. */
export function keepReport(report: BenchReport): string {
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const file = join(folder, `${report.name}-${at.replaceAll(/[:.]/g, "-")}.json`);
  const rows = report.rows.map((row) => ({ ...row, ...quantiles(row.samplesMs) }));
  writeFileSync(file, `${JSON.stringify({ ...report, at, machine: describeMachine(), rows }, null, 2)}\n`);
  return relative(process.cwd(), file);
}

function quantiles(samples: readonly number[]): Quantiles {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { count: sorted.length, p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs: at(1) };
}
