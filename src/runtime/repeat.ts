import type { Clock } from "./clock.ts";

/**
 * Calls `run` again and again, `intervalMs()` after the call before has returned; the returned function ends that. A call
 * that throws does so where timers do, and is not the last.
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
