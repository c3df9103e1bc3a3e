import type { Clock } from "./clock.ts";
import type { Containment } from "./containment.ts";

/** The same clock with its timers behind the boundary: what one of them throws ends nothing but its own task. */
export function containedClock(clock: Clock, containment: Pick<Containment, "contain">): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, run) =>
      clock.after(ms, () => containment.contain("timer", `what was due after ${Math.round(ms)} ms`, run)),
  };
}
