/** What a run found: a table to read, and everything as JSON. */
import { mkdirSync, writeFileSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import { join, relative } from "node:path";
import Table from "cli-table3";
import { type Contestant, goVersions } from "./programs.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import type { Figures } from "./trial.ts";
import type { Row } from "./workloads.ts";

export interface ContestResult {
  readonly row: Row;
  readonly nodes: number;
  readonly trials: ReadonlyMap<Contestant, readonly Figures[]>;
  readonly floors: readonly Figures[];
  readonly failures: readonly string[];
  /** The range of the floor's CPU while the row was measured, as a share of its median. */
  readonly floorMoved: number;
  readonly tolerance: number;
}

type Column = { readonly head: string; readonly show: (figures: Summary) => string; readonly judge?: string };
type Summary = Readonly<Record<string, Spread>>;

const TICKS: readonly Column[] = [
  { head: "CPU ms/1000", show: (s) => range(s.cpuPerThousand), judge: "cpuPerThousand" },
  { head: "p50 ms", show: (s) => range(s.p50) },
  { head: "p99 ms", show: (s) => range(s.p99), judge: "p99" },
  { head: "KB/client", show: (s) => range(s.idleBytesPerClient, 1024), judge: "idleBytesPerClient" },
  { head: "peak MB", show: (s) => range(s.peakBytes, 1 << 20) },
  { head: "connect s", show: (s) => range(s.connectMs, 1000) },
];

const CHURN: readonly Column[] = [
  { head: "core busy %", show: (s) => range(s.busyShare, 0.01), judge: "busyShare" },
  { head: "stale p50 ms", show: (s) => range(s.p50) },
  { head: "stale p99 ms", show: (s) => range(s.p99), judge: "p99" },
  { head: "messages/change", show: (s) => range(s.messagesPerChange) },
  { head: "converge ms", show: (s) => range(s.convergeMs) },
  { head: "peak MB", show: (s) => range(s.peakBytes, 1 << 20) },
];

const STORM: readonly Column[] = [
  { head: "connect s", show: (s) => range(s.connectMs, 1000), judge: "connectMs" },
  { head: "connect CPU s", show: (s) => range(s.connectCpuMs, 1000), judge: "connectCpuMs" },
  { head: "reconnect s", show: (s) => range(s.reconnectMs, 1000), judge: "reconnectMs" },
  { head: "reconnect KB", show: (s) => range(s.reconnectBytesPerClient, 1024) },
  { head: "KB/client", show: (s) => range(s.idleBytesPerClient, 1024), judge: "idleBytesPerClient" },
  { head: "peak MB", show: (s) => range(s.peakBytes, 1 << 20) },
];

const COLUMNS = { ticks: TICKS, churn: CHURN, storm: STORM } as const;

export function printResults(results: readonly ContestResult[], smoke: boolean): void {
  const facts = Object.entries(machine()).map(([key, value]) => `${key} ${value}`);
  console.log(`\n  fanout: ${facts.join(", ")}`);
  for (const result of results) {
    const { row, nodes, failures, floorMoved, tolerance } = result;
    console.log(`\n  ${row.workload} ${row.variant}${row.tls ? " TLS" : ""}, N = ${nodes}: ${row.title}`);
    for (const failure of failures) console.log(`  did not finish: ${failure}`);
    const moved = `the floor moved by ${(floorMoved * 100).toFixed(0)} %`;
    if (smoke) console.log("  a smoke run: it shows that the bench works, and judges nothing");
    else if (!(floorMoved <= tolerance)) {
      console.log(
        `  not reported: ${moved} during the run, more than ${tolerance * 100} %. Repeat it on a quiet machine.`,
      );
      continue;
    } else console.log(`  ${moved}`);
    console.log(tableOf(result).toString());
  }
}

/** @returns the file's path, from the current folder. */
export function keepResults(results: readonly ContestResult[], smoke: boolean): string {
  const folder = join(import.meta.dirname, "../results");
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const file = join(folder, `fanout-${at.replaceAll(/[:.]/g, "-")}.json`);
  const contests = results.map(({ trials, ...rest }) => ({ ...rest, trials: Object.fromEntries(trials) }));
  writeFileSync(file, `${JSON.stringify({ name: "fanout", at, smoke, machine: machine(), contests }, null, 2)}\n`);
  return relative(process.cwd(), file);
}

function tableOf({ row, trials, floors }: ContestResult): Table.Table {
  const columns = COLUMNS[row.act.kind];
  const table = new Table({ head: ["", ...columns.map(({ head }) => head)], style: { head: [] }, chars: COMPACT });
  const ours = summarize(trials.get("fairlead") ?? []);
  for (const [contestant, figures] of trials) {
    table.push([contestant, ...columns.map(({ show }) => show(summarize(figures)))]);
  }
  if (row.act.kind === "ticks") table.push(["floor", ...columns.map(({ show }) => show(summarize(floors)))]);
  for (const [contestant, figures] of trials) {
    if (contestant === "fairlead" || !trials.has("fairlead")) continue;
    const theirs = summarize(figures);
    table.push([`ours / ${contestant}`, ...columns.map(({ judge }) => ratio(judge, ours, theirs))]);
  }
  return table;
}

function summarize(trials: readonly Figures[]): Summary {
  const names = Object.keys(trials[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, spreadOf(trials.map((trial) => trial[name] ?? Number.NaN))]));
}

function ratio(name: string | undefined, ours: Summary, theirs: Summary): string {
  if (name === undefined) return "";
  return ((ours[name]?.median ?? Number.NaN) / (theirs[name]?.median ?? Number.NaN)).toFixed(2);
}

/** No lines between the rows. */
const COMPACT = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };

/** `median (min–max)` */
function range(spread: Spread | undefined, unit = 1): string {
  if (!spread) return "";
  const [median, min, max] = [spread.median, spread.min, spread.max].map((value) => short(value / unit));
  return min === max ? `${median}` : `${median} (${min}–${max})`;
}

function short(value: number): string {
  if (Number.isNaN(value)) return "–";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function machine(): Record<string, string | number> {
  const processor = cpus()[0]?.model.trim() ?? "unknown";
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return {
    processors: cpus().length,
    processor,
    arch: arch(),
    memoryGiB,
    kernel: release(),
    node: process.version,
    ...goVersions(),
  };
}
