/** The results as tables to read. */
import { markdownTable } from "../markdown-table.ts";
import type { Contestant } from "./programs.ts";
import { type ContestResult, isQuiet, type Summary, summarize, summaryOf, titleOf } from "./results.ts";
import type { Spread } from "./statistics.ts";
import type { Act } from "./workloads.ts";

interface Column {
  readonly head: string;
  readonly figure: string;
  /** What one unit of the column is in the unit of the figure. */
  readonly unit?: number;
  /** Shown as a ratio of ours and theirs too. */
  readonly judged?: true;
}

const MB = 1 << 20;
const MEMORY: readonly Column[] = [
  { head: "KB/client", figure: "idleBytesPerClient", unit: 1024, judged: true },
  { head: "peak MB", figure: "peakBytes", unit: MB },
];

const COLUMNS: Readonly<Record<Act["kind"], readonly Column[]>> = {
  ticks: [
    { head: "CPU ms/1000", figure: "cpuPerThousand", judged: true },
    { head: "p50 ms", figure: "p50" },
    { head: "p99 ms", figure: "p99", judged: true },
    { head: "last ms", figure: "last", judged: true },
    ...MEMORY,
    { head: "connect s", figure: "connectMs", unit: 1000, judged: true },
  ],
  churn: [
    { head: "core busy %", figure: "busyShare", unit: 0.01, judged: true },
    { head: "stale p50 ms", figure: "p50" },
    { head: "stale p99 ms", figure: "p99", judged: true },
    { head: "p99 before", figure: "p99Before" },
    { head: "messages/change", figure: "messagesPerChange" },
    { head: "converge ms", figure: "convergeMs" },
    { head: "changes/s", figure: "changesPerSecond" },
    { head: "write p99 ms", figure: "writeP99" },
    { head: "peak MB", figure: "peakBytes", unit: MB },
  ],
  storm: [
    { head: "connect s", figure: "connectMs", unit: 1000, judged: true },
    { head: "connect CPU s", figure: "connectCpuMs", unit: 1000, judged: true },
    { head: "reconnect s", figure: "reconnectMs", unit: 1000, judged: true },
    { head: "reconnect KB", figure: "reconnectBytesPerClient", unit: 1024 },
    ...MEMORY,
  ],
  restart: [
    { head: "ready s", figure: "readyMs", unit: 1000 },
    { head: "then all served s", figure: "servedMs", unit: 1000 },
    { head: "sent again/client", figure: "resentPerClient" },
    { head: "removed/client", figure: "removedPerClient" },
    ...MEMORY,
  ],
};

/** The title and the table of one contest, or why there is none. */
export function contestText(result: ContestResult, smoke: boolean): string {
  const lines = [`**${titleOf(result)}**`, ""];
  for (const failure of result.failures) lines.push(`did not finish: ${failure}`, "");
  if (isQuiet(result)) lines.push(tableOf(result), "", smoke ? "A smoke run judges nothing." : countText(result));
  else lines.push(`Not reported: the machine was disturbed in each of ${result.disturbed} repetitions.`);
  return lines.join("\n");
}

function countText({ floors, disturbed }: ContestResult): string {
  const without = disturbed === 0 ? "" : `, without ${disturbed} during which the machine was disturbed`;
  return `Repetitions: ${floors.length / 2}${without}.`;
}

function tableOf(result: ContestResult): string {
  const { row, floors } = result;
  const contestants = Object.keys(result.trials) as Contestant[];
  const summaries = contestants.flatMap((name): [Contestant, Summary][] => {
    const summary = summaryOf(result, name);
    return summary === undefined ? [] : [[name, summary]];
  });
  const columns = COLUMNS[row.act.kind].filter(({ figure }) => summaries.some(([, summary]) => figure in summary));
  const show = (summary: Summary) => columns.map(({ figure, unit }) => range(summary[figure], unit));
  const rows = summaries.map(([name, summary]) => [name, ...show(summary)]);
  if (row.act.kind === "ticks") rows.push(["floor", ...show(summarize(floors))]);
  for (const [ours, mine] of summaries.filter(([name]) => row.ours.includes(name))) {
    for (const [peer, theirs] of summaries.filter(([name]) => row.peers.includes(name))) {
      const ratios = columns.map(({ figure, judged }) => (judged ? ratio(mine[figure], theirs[figure]) : ""));
      rows.push([`${ours} / ${peer}`, ...ratios]);
    }
  }
  return markdownTable(["", ...columns.map(({ head }) => head)], rows);
}

function ratio(ours: Spread | undefined, theirs: Spread | undefined): string {
  const value = (ours?.median ?? Number.NaN) / (theirs?.median ?? Number.NaN);
  return Number.isNaN(value) ? "" : value.toFixed(value < 0.1 ? 3 : 2);
}

/** `median (min–max)` */
function range(spread: Spread | undefined, unit = 1): string {
  if (!spread) return "";
  const [median, min, max] = [spread.median, spread.min, spread.max].map((value) => short(value / unit));
  return min === max ? `${median}` : `${median} (${min}–${max})`;
}

export function short(value: number): string {
  if (Number.isNaN(value)) return "–";
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
}
