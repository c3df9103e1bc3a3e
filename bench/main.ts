/** `npm run bench -- NAME [OPTIONS]`: runs one bench, prints a table and keeps the figures in bench/results/. */
import { runAckBench } from "./ack.ts";
import { runDocument } from "./document.ts";
import { runFanout } from "./fanout/run.ts";
import { runGrowth } from "./growth/run.ts";
import { runSizing } from "./growth/sizing-table.ts";
import { runHealthBench } from "./health-scale.ts";
import { runNatsBench } from "./nats.ts";
import { type BenchReport, keepReport, printReport } from "./report.ts";
import { runStartBench } from "./start.ts";

const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<BenchReport | undefined>>> = {
  ack: runAckBench,
  document: runDocument,
  fanout: runFanout,
  growth: runGrowth,
  health: runHealthBench,
  nats: runNatsBench,
  sizing: runSizing,
  start: runStartBench,
};

const [name = "", ...args] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`Name a bench: ${Object.keys(BENCHES).join(", ")}.`);
  process.exitCode = 2;
} else {
  const report = await bench(args);
  if (report !== undefined) {
    printReport(report);
    console.log(`\n  kept in ${keepReport(report)}`);
  }
}
