import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";

/** What a plane is given of the machine that it runs on. */
export interface Machine {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Lines of the log that were lost, where that can happen. */
  readonly lostLogLines?: () => number;
  /** The addresses of its network interfaces. */
  readonly interfaces: () => readonly string[];
  /** The encoding profiles that this release supports, where they are other than `ENCODING_PROFILES`. */
  readonly profiles?: readonly number[];
}
