/** `npm run bench -- fanout`: Fairlead and its peers under the same load, one after the other. */
import { parseArgs } from "node:util";
import { buildPrograms, type Contestant, makeCertificate } from "./programs.ts";
import { type ContestResult, keepResults, printResults } from "./report.ts";
import { median } from "./statistics.ts";
import { type Effort, type Figures, runTrial } from "./trial.ts";
import { ROWS, type Row } from "./workloads.ts";

const HELP = `npm run bench -- fanout [OPTIONS]

  --workload W1,W2   only these (default: all of W1 to W7)
  --contestant A,B   only these of fairlead, linear, tuned, snapshot
  --n 1000,4000      numbers of clients (default 1000)
  --reps 5           repetitions of each contestant
  --seconds 30       length of a churn
  --smoke            a few clients, one short repetition each, nothing is judged
`;

/** How far the floor may move while a row is measured before the row is not reported. */
const FLOOR_TOLERANCE = 0.15;

interface Plan {
  readonly rows: readonly Row[];
  readonly nodes: readonly number[];
  readonly repetitions: number;
  readonly contestants: readonly string[] | undefined;
  readonly effort: Omit<Effort, "nodes" | "tls">;
  readonly smoke: boolean;
}

/** Prints and keeps its results itself: they are ratios, not samples. */
export async function runFanout(args: readonly string[]): Promise<undefined> {
  const plan = readPlan(args);
  if (plan === undefined) {
    console.log(HELP);
    return undefined;
  }
  buildPrograms(say);
  const tls = makeCertificate();
  const results: ContestResult[] = [];
  const contests = plan.rows.flatMap((row) => plan.nodes.map((nodes) => ({ row, nodes })));
  for (const [index, { row, nodes }] of contests.entries()) {
    say(
      `${index + 1} of ${contests.length}: ${row.workload} ${row.variant}${row.tls ? " TLS" : ""}, N = ${nodes}; ${row.title}`,
    );
    const effort = { ...plan.effort, nodes, tls: row.tls ? tls : undefined };
    results.push(await contest(row, effort, plan));
  }
  printResults(results, plan.smoke);
  console.log(`\n  kept in ${keepResults(results, plan.smoke)}`);
  if (results.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
  return undefined;
}

/** Ours, a peer, ours, the next peer, …, over and over, with the floor before and after. */
async function contest(row: Row, effort: Effort, plan: Plan): Promise<ContestResult> {
  const peers = row.peers.filter((peer) => plan.contestants?.includes(peer) ?? true);
  const ours: Contestant[] = plan.contestants?.includes("fairlead") === false ? [] : ["fairlead"];
  const trials = new Map<Contestant, Figures[]>();
  const failures: string[] = [];
  const attempt = async (contestant: Contestant) => {
    try {
      const figures = await runTrial(row, contestant, effort);
      trials.set(contestant, [...(trials.get(contestant) ?? []), figures]);
      say(`    ${contestant}: ${brief(figures)}`);
    } catch (error) {
      failures.push(`${contestant}: ${error instanceof Error ? error.message : String(error)}`);
      say(`    ${failures.at(-1)}`);
    }
  };
  const floor = async () => floorOf(row, effort);
  const floors: Figures[] = [await floor()];
  for (let repetition = 0; repetition < plan.repetitions; repetition++) {
    const order = peers.length === 0 ? ours : peers.flatMap((peer) => [...ours, peer]);
    // With several peers ours would be measured more often than each of them; a slow peer is measured once only.
    for (const contestant of order) {
      const done = trials.get(contestant)?.length ?? 0;
      if (done <= repetition && !(contestant === "snapshot" && repetition > 0)) await attempt(contestant);
    }
    floors.push(await floor());
  }
  return {
    row,
    nodes: effort.nodes,
    trials,
    floors,
    failures,
    floorMoved: movedBy(floors),
    tolerance: FLOOR_TOLERANCE,
  };
}

/** The floor is measured by ticks whatever the row does, without TLS. */
function floorOf(row: Row, effort: Effort): Promise<Figures> {
  return runTrial({ ...row, act: { kind: "ticks" } }, "floor", effort);
}

function movedBy(floors: readonly Figures[]): number {
  const cpu = floors.map((figures) => figures.cpuPerThousand ?? Number.NaN);
  return (Math.max(...cpu) - Math.min(...cpu)) / median(cpu);
}

function brief(figures: Figures): string {
  const wanted = ["cpuPerThousand", "busyShare", "p50", "p99", "connectMs", "reconnectMs"];
  return Object.entries(figures)
    .filter(([name]) => wanted.includes(name))
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join(", ");
}

function readPlan(args: readonly string[]): Plan | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workload: { type: "string" },
      contestant: { type: "string" },
      n: { type: "string" },
      reps: { type: "string" },
      seconds: { type: "string" },
      smoke: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const { smoke } = values;
  const workloads = values.workload?.split(",");
  const quick = ({ workload, variant, tls }: Row) => SMOKE_WORKLOADS.includes(workload) && variant === "delta" && !tls;
  const rows = ROWS.filter((row) => workloads?.includes(row.workload) ?? (!smoke || quick(row)));
  return {
    rows: smoke ? rows.map((row) => ({ ...row, peers: row.peers.slice(0, 1) })) : rows,
    nodes: (values.n ?? (smoke ? "10" : "1000")).split(",").map(Number),
    repetitions: Number(values.reps ?? (smoke ? 1 : 5)),
    contestants: values.contestant?.split(","),
    effort: smoke
      ? { warmUps: 1, ticks: 2, churnSeconds: 0.5, settleMs: 20, timeoutMs: 60_000 }
      : { warmUps: 4, ticks: 7, churnSeconds: Number(values.seconds ?? 30), settleMs: 400, timeoutMs: 300_000 },
    smoke,
  };
}

const SMOKE_WORKLOADS = ["W2", "W3"];

function say(line: string): void {
  console.error(`  ${line}`);
}
