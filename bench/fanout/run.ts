/** `npm run bench -- fanout`: Fairlead and its peers under the same load, one after the other. */
import { describeMachine, machineText } from "../machine.ts";
import { HELP, type Plan, readPlan } from "./plan.ts";
import { buildPrograms, type Contestant, goVersions, makeCertificate, pinDriver } from "./programs.ts";
import { contestText } from "./report.ts";
import { type ContestResult, type FanoutResults, isQuiet, keepResults, titleOf } from "./results.ts";
import { median } from "./statistics.ts";
import { targetsText } from "./targets.ts";
import { type Effort, type Figures, runTrial } from "./trial.ts";
import type { Row } from "./workloads.ts";

/** How far the floor may move while a row is measured before the row is not reported. */
const FLOOR_TOLERANCE = 0.15;
/** Ends so when something did not run, or when the machine was not quiet enough for some rows. */
const EXIT_FAILED = 1;
const EXIT_NOT_QUIET = 3;

/** Prints and keeps its results itself: they are ratios, not samples. */
export async function runFanout(args: readonly string[]): Promise<undefined> {
  const plan = readPlan(args);
  if (plan === undefined) {
    console.log(HELP);
    return undefined;
  }
  const contestants = new Set(plan.contests.flatMap(({ row }) => [...row.ours, ...row.peers]));
  buildPrograms(contestants, say);
  pinDriver();
  const tls = makeCertificate();
  const startedAt = performance.now();
  const results = (contests: readonly ContestResult[]): FanoutResults => ({
    ...{ name: "fanout", at, command: `npm run bench -- ${["fanout", ...args].join(" ")}` },
    minutes: Math.round((performance.now() - startedAt) / 6_000) / 10,
    ...{ smoke: plan.smoke, machine, contests },
  });
  const at = new Date().toISOString();
  const machine = { ...describeMachine(), ...goVersions() };
  console.log(`\nfanout: ${machineText(machine)}`);
  const found: ContestResult[] = [];
  for (const [index, { row, nodes }] of plan.contests.entries()) {
    const minutes = Math.round((performance.now() - startedAt) / 60_000);
    say(`${index + 1} of ${plan.contests.length}, after ${minutes} min: ${titleOf({ row, nodes })}`);
    const effort = { ...plan.effort, nodes, tls: row.tls ? tls : undefined };
    const result = await quietContest(row, effort, plan);
    found.push(result);
    console.log(`\n${contestText(result, plan.smoke)}`);
    keepResults(results(found));
  }
  if (!plan.smoke) console.log(`\nTargets\n\n${targetsText(found)}`);
  console.log(`\nkept in ${keepResults(results(found))}`);
  if (found.some(({ failures }) => failures.length > 0)) process.exitCode = EXIT_FAILED;
  else if (!plan.smoke && !found.every(isQuiet)) process.exitCode = EXIT_NOT_QUIET;
  return undefined;
}

/** A row during which the floor moved is measured once more. */
async function quietContest(row: Row, effort: Effort, plan: Plan): Promise<ContestResult> {
  const first = await contest(row, effort, plan);
  if (plan.smoke || isQuiet(first)) return first;
  say(`    the floor moved by ${(first.floorMoved * 100).toFixed(0)} %: once more`);
  return contest(row, effort, plan);
}

/** Ours, a peer, ours, the next peer, …, over and over, with the floor before and after. */
async function contest(row: Row, effort: Effort, plan: Plan): Promise<ContestResult> {
  const trials: Partial<Record<Contestant, Figures[]>> = {};
  const failures: string[] = [];
  const attempt = async (contestant: Contestant) => {
    try {
      const figures = await runTrial(row, contestant, effort);
      trials[contestant] = [...(trials[contestant] ?? []), figures];
      say(`    ${contestant}: ${brief(figures)}`);
    } catch (error) {
      failures.push(`${contestant}: ${error instanceof Error ? error.message : String(error)}`);
      say(`    ${failures.at(-1)}`);
    }
  };
  const floors: Figures[] = [await floorOf(row, effort)];
  for (let repetition = 0; repetition < plan.repetitions; repetition++) {
    const order = row.peers.length === 0 ? row.ours : row.peers.flatMap((peer) => [...row.ours, peer]);
    // With several peers ours would be measured more often than each of them; a slow peer is measured once only.
    for (const contestant of order) {
      const done = trials[contestant]?.length ?? 0;
      if (done <= repetition && !(contestant === "snapshot" && repetition > 0)) await attempt(contestant);
    }
    floors.push(await floorOf(row, effort));
  }
  const cpu = floors.map((figures) => figures["cpuPerThousand"] ?? Number.NaN);
  const floorMoved = (Math.max(...cpu) - Math.min(...cpu)) / median(cpu);
  return { row, nodes: effort.nodes, trials, floors, failures, floorMoved, tolerance: FLOOR_TOLERANCE };
}

/** The floor is measured by ticks whatever the row does, without TLS. */
function floorOf(row: Row, effort: Effort): Promise<Figures> {
  return runTrial({ ...row, act: { kind: "ticks" } }, "floor", effort);
}

function brief(figures: Figures): string {
  const wanted = ["cpuPerThousand", "busyShare", "p50", "p99", "writeP99", "connectMs", "reconnectMs", "servedMs"];
  return Object.entries(figures)
    .filter(([name]) => wanted.includes(name))
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join(", ");
}

function say(line: string): void {
  console.error(`  ${line}`);
}
