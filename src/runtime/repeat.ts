import type { Clock } from "./clock.ts";

/**
 * Calls `run` repeatedly, `intervalMs()` after the previous call has returned; the returned function ends that. A call that
 * throws does so where timers do, and the calls go on.
 */
export function repeat(clock: Clock, intervalMs: () => number, run: () => unknown): () => void {
  let isEnded = false;
  let cancel = () => {};
  const schedule = () => {
    cancel = clock.after(intervalMs(), () => {
      try {
        run();
      } finally {
        if (!isEnded) schedule();
      }
    });
  };
  schedule();
  return () => {
    isEnded = true;
    cancel();
  };
}
