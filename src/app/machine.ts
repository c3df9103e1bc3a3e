import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";

/** What a plane gets from the machine that it runs on. */
export interface Machine {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** How many lines of the log were lost, where that can happen. */
  readonly lostLogLines?: () => number;
  /** The addresses of its network interfaces. */
  readonly interfaces: () => readonly string[];
  /** The encoding profiles that this release supports, if they differ from `ENCODING_PROFILES`. */
  readonly profiles?: readonly number[];
}
