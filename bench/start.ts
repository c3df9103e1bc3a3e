/** How long a plane with an empty store takes from the start of its process until it is ready. */
import { parseArgs } from "node:util";
import { startPlane } from "../test/support/plane.ts";
import type { BenchReport } from "./report.ts";

export async function runStartBench(args: readonly string[]): Promise<BenchReport> {
  const { values } = parseArgs({ args: [...args], options: { rounds: { type: "string", default: "20" } } });
  const listening: number[] = [];
  const ready: number[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const beforeMs = performance.now();
    await using plane = await startPlane();
    listening.push(plane.startedInMs);
    while ((await fetch(`http://${plane.addresses.http}/readyz`)).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    ready.push(performance.now() - beforeMs);
  }
  return {
    name: "start",
    setting: { store: "embedded, empty" },
    rows: [
      { what: "process start until it listens", samplesMs: listening },
      { what: "process start until /readyz answers 200", samplesMs: ready, promisedP99Ms: 1_000 },
    ],
  };
}
