/** A number of attacks on one plane, drawn from one seed, with what has to hold all the time. */
import { performance } from "node:perf_hooks";
import { expect } from "vitest";
import { type Chance, chanceOf, seedOf } from "./chance.ts";
import { ANSWER_WITHIN_MS } from "./witness.ts";

export interface Attack {
  readonly name: string;
  /** Ends when it is over, in some seconds at most. What the plane answers is its own affair: any answer will do. */
  readonly run: (chance: Chance) => Promise<void>;
  /** How often it is drawn beside the others; 1 unless it is given. */
  readonly weight?: number;
}

/** What is attacked. */
export interface Target {
  /** Throws when the plane does not live or has left somebody waiting. */
  readonly check: () => Promise<void>;
}

/** Somebody else had to wait for an answer. */
export class LateAnswer extends Error {
  constructor(waitedMs: number) {
    super(`another client waited for ${waitedMs} ms; ${ANSWER_WITHIN_MS} are allowed`);
  }
}

/** For so long each campaign of CI draws attacks; `docs/robustness.md` has how to run longer ones, and how to repeat one. */
const CI_SECONDS = 10;
const ATTACK_SECONDS_MAX = 30;

const settings = {
  seed: Number(process.env["FAIRLEAD_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31)),
  seconds: Number(process.env["FAIRLEAD_FUZZ_SECONDS"] ?? CI_SECONDS),
  only: process.env["FAIRLEAD_FUZZ_ONLY"],
};

/** How long a test of a campaign may take, in milliseconds. */
export const CAMPAIGN_TIMEOUT_MS = settings.seconds * 1000 + 120_000;

/** Each attack once in the order given, since each stands for something that was seen; then by chance, for as long as is set. */
export async function campaign(target: Target, attacks: readonly Attack[]): Promise<void> {
  const wheel = attacks.flatMap((attack) => Array.from({ length: attack.weight ?? 1 }, () => attack));
  const run = async (number: number) => {
    const once = async () => {
      const chance = chanceOf(seedOf(settings.seed, number));
      const attack = attacks[number] ?? chance.oneOf(wheel);
      name = attack.name;
      await within(ATTACK_SECONDS_MAX, attack.run(chance));
      await target.check();
    };
    let name = "";
    try {
      // What blocks a plane blocks it again; a machine that was busy with something else for a moment does not.
      await once().catch((thrown) => (thrown instanceof LateAnswer ? once() : Promise.reject(thrown)));
    } catch (cause) {
      const again = `FAIRLEAD_FUZZ_SEED=${settings.seed}`;
      throw new Error(
        `attack ${number}, ${name}: ${(cause as Error).message}\nthe whole campaign again: ${again}; this attack alone: ${again} FAIRLEAD_FUZZ_ONLY=${number}`,
        { cause },
      );
    }
  };
  if (settings.only !== undefined) return await run(Number(settings.only));
  let number = 0;
  for (; number < attacks.length; number++) await run(number);
  const until = performance.now() + settings.seconds * 1000;
  for (; performance.now() < until; number++) await run(number);
  process.stdout.write(`  ${number} attacks, seed ${settings.seed}\n`);
  expect(number).toBeGreaterThanOrEqual(attacks.length);
}

async function within(seconds: number, work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`it is not over after ${seconds} s`)), seconds * 1000);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
