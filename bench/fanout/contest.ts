/** One row: the contestants in turns, in repetitions, of which those count that nothing else disturbed. */
import type { Contestant } from "./programs.ts";
import type { ContestResult } from "./results.ts";
import { type Effort, type Figures, runTrial } from "./trial.ts";
import type { Row } from "./workloads.ts";

/** How far the floor may be above the lowest one of the row, as a share of it. */
export const TOLERANCE = 0.15;
/** So many repetitions more are made in place of disturbed ones. */
const MOST_AGAIN = 2;

/** The contestants one after the other, and the floor before and after them. */
export interface Repetition {
  readonly trials: readonly (readonly [Contestant, Figures])[];
  readonly floors: readonly [Figures, Figures];
}

export interface ContestOptions {
  readonly effort: Effort;
  readonly repetitions: number;
  /** All count, whatever the floor does. */
  readonly smoke: boolean;
  readonly say: (line: string) => void;
}

export async function contest(row: Row, options: ContestOptions): Promise<ContestResult> {
  const { effort, repetitions, smoke, say } = options;
  const made: Repetition[] = [];
  const failures: string[] = [];
  const tolerance = smoke ? Number.POSITIVE_INFINITY : TOLERANCE;
  const attempt = async (contestant: Contestant): Promise<[Contestant, Figures][]> => {
    try {
      const figures = await runTrial(row, contestant, effort);
      say(`    ${contestant}: ${brief(figures)}`);
      return [[contestant, figures]];
    } catch (error) {
      failures.push(`${contestant}: ${error instanceof Error ? error.message : String(error)}`);
      say(`    ${failures.at(-1)}`);
      return [];
    }
  };
  let before = await floorOf(row, effort);
  let counted: readonly Repetition[] = [];
  for (let i = 0; counted.length < repetitions && i < repetitions + MOST_AGAIN; i++) {
    const trials: [Contestant, Figures][] = [];
    for (const contestant of orderOf(row, counted)) trials.push(...(await attempt(contestant)));
    const after = await floorOf(row, effort);
    made.push({ trials, floors: [before, after] });
    before = after;
    counted = undisturbed(made, tolerance);
    say(`    ${counted.length} of ${made.length} repetitions count, by the floor`);
  }
  const floors = counted.flatMap((repetition) => repetition.floors);
  const trials: Partial<Record<Contestant, Figures[]>> = {};
  for (const [contestant, figures] of counted.flatMap((repetition) => repetition.trials)) {
    trials[contestant] = [...(trials[contestant] ?? []), figures];
  }
  const { nodes } = effort;
  return { row, nodes, trials, floors, failures, disturbed: made.length - counted.length };
}

/** Those beside which the machine was about as quick as it was at its quickest. */
export function undisturbed(made: readonly Repetition[], tolerance: number): Repetition[] {
  const lowest = Math.min(...made.flatMap(({ floors }) => floors.map(cpuOf)));
  return made.filter(({ floors }) => floors.every((floor) => cpuOf(floor) <= lowest * (1 + tolerance)));
}

/** Ours, a peer, ours, the next peer, …; each once. SnapshotCache takes minutes, and is measured once in all. */
function orderOf(row: Row, counted: readonly Repetition[]): Set<Contestant> {
  const hasSnapshot = counted.some(({ trials }) => trials.some(([contestant]) => contestant === "snapshot"));
  const [first, ...others] = row.ours;
  const all = [...(first ? [first] : []), ...row.peers.slice(0, 1), ...others, ...row.peers.slice(1)];
  return new Set(all.filter((contestant) => contestant !== "snapshot" || !hasSnapshot));
}

/** The floor is measured by ticks whatever the row does, without TLS. */
function floorOf(row: Row, effort: Effort): Promise<Figures> {
  return runTrial({ ...row, act: { kind: "ticks" } }, "floor", effort);
}

function cpuOf(floor: Figures): number {
  return floor["cpuPerThousand"] ?? Number.NaN;
}

function brief(figures: Figures): string {
  const wanted = ["cpuPerThousand", "busyShare", "p50", "p99", "writeP99", "connectMs", "reconnectMs", "servedMs"];
  return Object.entries(figures)
    .filter(([name]) => wanted.includes(name))
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join(", ");
}
