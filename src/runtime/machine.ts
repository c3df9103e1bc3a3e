import type { Registry } from "prom-client";
import type { Clock } from "./clock.ts";
import type { Containment } from "./containment.ts";
import type { Logger } from "./logger.ts";
import type { Random } from "./random.ts";

/** The ports to the machine that most parts need. */
export interface Machine {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The machine, and the instruments on which all parts of one plane show what they do. */
export interface InstrumentedMachine extends Machine {
  readonly registry: Registry;
  readonly containment: Containment;
}
