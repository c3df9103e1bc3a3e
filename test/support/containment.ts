import { Registry } from "prom-client";
import { systemClock } from "../../src/runtime/clock.ts";
import { Containment } from "../../src/runtime/containment.ts";
import { silentLogger } from "../../src/runtime/logger.ts";

/** A boundary of a test's own, whose count nobody but the test asks for. */
export function newContainment(): Containment {
  return new Containment({ clock: systemClock, log: silentLogger, registry: new Registry() });
}
