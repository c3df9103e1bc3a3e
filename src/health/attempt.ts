import type { Socket } from "node:net";
import type { Observation } from "../domain/health-verdict.ts";
import type { Clock } from "../runtime/clock.ts";
import { failureOf } from "./failure-reason.ts";

/** One check under way. The first thing it is told decides; what comes later is ignored. */
export interface Attempt {
  readonly pass: (reason: string) => void;
  readonly degraded: (reason: string) => void;
  /** Evidence from the target. */
  readonly fail: (reason: string) => void;
  /** An error of the connection. */
  readonly error: (error: Error) => void;
  /** The target has answered something: a timeout from here on is evidence. */
  readonly heard: () => void;
}

/** A timer that fires so much late tells of a stall of this process, in which no answer could be read. */
const STALL_MS = 50;

/**
 * Runs one check over a connection of its own, which is destroyed when the check is decided.
 * A stall of this process is not held against the target: it is given the time that was lost, up to as much as it had.
 *
 * @param begin Opens the connection and tells the attempt what happens.
 */
export function attempt(
  { clock, timeoutMs, signal }: { clock: Clock; timeoutMs: number; signal: AbortSignal },
  begin: (attempt: Attempt) => Socket,
): Promise<Observation | undefined> {
  return new Promise((resolve, reject) => {
    const startedAt = clock.monotonic();
    let heard = false;
    let decided = false;
    let socket: Socket | undefined;
    const end = () => {
      decided = true;
      stopTimer();
      signal.removeEventListener("abort", onAbort);
      socket?.destroy();
    };
    const decide = (seen: Omit<Observation, "durationMs"> | undefined) => {
      if (decided) return;
      end();
      resolve(seen && { ...seen, durationMs: clock.monotonic() - startedAt });
    };
    const onAbort = () => {
      if (decided) return;
      end();
      reject(signal.reason);
    };
    const giveUpAt = (deadline: number): (() => void) =>
      clock.after(deadline - clock.monotonic(), () => {
        const lateMs = clock.monotonic() - deadline;
        if (lateMs > STALL_MS) stopTimer = giveUpAt(clock.monotonic() + Math.min(lateMs, timeoutMs));
        else decide({ outcome: "fail", reason: `timeout after ${timeoutMs} ms`, ambiguous: !heard });
      });
    let stopTimer = giveUpAt(startedAt + timeoutMs);
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    socket = begin({
      pass: (reason) => decide({ outcome: "pass", reason, ambiguous: false }),
      degraded: (reason) => decide({ outcome: "degraded", reason, ambiguous: false }),
      fail: (reason) => decide({ outcome: "fail", reason, ambiguous: false }),
      error: (error) => {
        const failure = failureOf(error);
        decide(failure && { outcome: "fail", ...failure });
      },
      heard: () => {
        heard = true;
      },
    });
    // After the decision the connection may still fail, and nobody is to hear of it.
    socket.on("error", () => undefined);
    if (decided) socket.destroy();
  });
}
