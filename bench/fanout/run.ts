/** `npm run bench -- fanout`: Fairlead and its peers under the same load, one after the other. */
import { describeMachine, machineText } from "../machine.ts";
import { contest } from "./contest.ts";
import { HELP, readPlan } from "./plan.ts";
import { buildPrograms, goVersions, makeCertificate, pinDriver } from "./programs.ts";
import { contestText } from "./report.ts";
import { type ContestResult, type FanoutResults, isQuiet, keepResults, titleOf } from "./results.ts";
import { targetsText } from "./targets.ts";

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
    const { repetitions, smoke } = plan;
    const result = await contest(row, { effort, repetitions, smoke, say });
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

function say(line: string): void {
  console.error(`  ${line}`);
}
