/** `npm run bench -- growth`: what the whole product costs as one thing after the other grows. */
import { parseArgs } from "node:util";
import { buildPrograms, pinDriver } from "../fanout/programs.ts";
import { short } from "../fanout/report.ts";
import { keepResults } from "../fanout/results.ts";
import { type Effort, runTrial } from "../fanout/trial.ts";
import { describeMachine, type Machine, machineText } from "../machine.ts";
import { markdownTable } from "../markdown-table.ts";
import { type Axis, type Point, pointsOf, rowOf } from "./points.ts";
import { measureRouteChanges, type RouteCost } from "./route-changes.ts";
import { cpuMsOf, kbPerMessage, type Measured, type UnitCosts, unitCosts } from "./unit-costs.ts";

const HELP = `npm run bench -- growth [OPTIONS]

  --quick       fewer and smaller steps: about 5 minutes instead of 10
  --smoke       two proxies, then ten: does it run at all?
  --axis A,B    only these of: proxies, backends per service, backends at few proxies, services, changes per second,
                route changes
`;

export interface GrowthResults {
  readonly name: "growth";
  readonly at: string;
  readonly machine: Machine;
  readonly minutes: number;
  readonly measured: readonly Measured[];
  readonly costs: UnitCosts;
  /** Within the plane alone. */
  readonly routeChanges: readonly RouteCost[];
}

const EFFORT = { warmUps: 40, ticks: 7, churnSeconds: 10, settleMs: 400, timeoutMs: 600_000, tls: undefined };
const SMOKE = { ...EFFORT, warmUps: 1, ticks: 2, churnSeconds: 0.5, settleMs: 20 };

export async function runGrowth(args: readonly string[]): Promise<undefined> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      axis: { type: "string" },
      quick: { type: "boolean", default: false },
      smoke: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  const size = values.smoke ? "smoke" : values.quick ? "quick" : "full";
  const axes = values.axis?.split(",");
  const points = pointsOf(size, axes as Axis[] | undefined);
  buildPrograms(new Set(), say);
  pinDriver();
  const startedAt = performance.now();
  const minutes = () => Math.round((performance.now() - startedAt) / 6_000) / 10;
  const at = new Date().toISOString();
  const machine = describeMachine();
  const measured: Measured[] = [];
  for (const [index, point] of points.entries()) {
    say(`${index + 1} of ${points.length}, after ${minutes().toFixed(0)} min: ${point.value} ${point.axis}`);
    measured.push(await measure(point, values.smoke ? SMOKE : EFFORT));
  }
  const routeChanges = axes?.includes("route changes") !== false ? measureRouteChanges(size) : [];
  const costs = unitCosts(measured);
  const results = { name: "growth", at, machine, minutes: minutes(), measured, costs, routeChanges } as const;
  console.log(growthText(results));
  console.log(`\nkept in ${keepResults(results)}`);
  return undefined;
}

async function measure(point: Point, effort: Omit<Effort, "nodes">): Promise<Measured> {
  const figures = await runTrial(rowOf(point), "embedded", { ...effort, nodes: point.proxies });
  return { point, figures };
}

export function growthText({ machine, minutes, measured, costs, routeChanges }: GrowthResults): string {
  const steady = measured.filter(({ point }) => point.changesPerSecond === undefined);
  const churned = measured.filter(({ point }) => point.changesPerSecond !== undefined);
  const facts = `growth, in ${minutes} min: ${machineText(machine)}`;
  const tables = [
    steady.length > 0 ? tableOfSteady(steady) : "",
    churned.length > 0 ? tableOfChurn(churned) : "",
    measured.length > 0 ? tableOfCosts(costs) : "",
    routeChanges.length > 0 ? tableOfRouteChanges(routeChanges) : "",
  ];
  return [facts, ...tables.filter((table) => table !== "")].join("\n\n");
}

function tableOfSteady(measured: readonly Measured[]): string {
  const head = ["", "proxies", "services", "backends", "CPU ms/change", "µs/push", "p99 ms", "KB/message"];
  const more = ["connect s", "connect CPU ms/proxy", "KB/proxy", "resident MB"];
  const rows = measured.map((one) => {
    const { point, figures } = one;
    const { axis, proxies, services, backendsPerService } = point;
    const cpuMs = cpuMsOf(one);
    const connectCpuMs = (figures["connectCpuMs"] ?? Number.NaN) / proxies;
    const costs = [cpuMs, (cpuMs / proxies) * 1000, figures["p99"] ?? Number.NaN, kbPerMessage(one)];
    const { connectMs = Number.NaN, idleBytesPerClient = Number.NaN, residentBytes = Number.NaN } = figures;
    const sizes = [connectMs / 1000, connectCpuMs, idleBytesPerClient / 1024, residentBytes / 2 ** 20];
    const counts = [proxies, services, services * backendsPerService].map((count) => count.toLocaleString("en"));
    return [axis, ...counts, ...costs.map(short), ...sizes.map(short)];
  });
  return markdownTable([...head, ...more], rows);
}

function tableOfChurn(measured: readonly Measured[]): string {
  const head = ["changes/s", "reached", "proxies", "core busy %", "stale p50 ms", "stale p99 ms", "messages/change"];
  const rows = measured.map(({ point, figures }) => {
    const { changesPerSecond, busyShare = Number.NaN, p50, p99, messagesPerChange, writeP99 } = figures;
    const times = [changesPerSecond, point.proxies, busyShare * 100, p50, p99, messagesPerChange, writeP99];
    return [point.value, ...times.map((value) => short(value ?? Number.NaN))];
  });
  return markdownTable([...head, "write p99 ms"], rows);
}

function tableOfCosts(costs: UnitCosts): string {
  return markdownTable(
    ["unit cost", ""],
    Object.entries(costs).map(([name, cost]) => [name, short(cost)]),
  );
}

function tableOfRouteChanges(costs: readonly RouteCost[]): string {
  return markdownTable(
    ["one route changes, beside", "", "ms in the plane"],
    costs.map(({ axis, value, msPerChange }) => [axis, value.toLocaleString("en"), short(msPerChange)]),
  );
}

function say(line: string): void {
  console.error(`  ${line}`);
}
