import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { Observation } from "../domain/health-verdict.ts";
import { MAX_HEALTH_REASON_LENGTH } from "../domain/limits.ts";
import type { Clock } from "../runtime/clock.ts";
import type { OpenConnection } from "./connect.ts";
import { failureOf } from "./failure-reason.ts";

/** One check under way. The first thing it is told decides; what comes later is ignored. */
export interface Attempt {
  /** Opens the connection, which is the attempt's own: its errors count, and it ends with the decision. */
  readonly open: OpenConnection;
  /** Passes what the connection brings to `listener`. What that throws is caught, and is a failure with this reason. */
  readonly on: (from: EventEmitter, event: string, listener: (...args: never[]) => void) => void;
  readonly pass: (reason: string) => void;
  readonly degraded: (reason: string) => void;
  /** Evidence from the target. */
  readonly fail: (reason: string) => void;
  /** An error of the connection. */
  readonly error: (error: Error) => void;
  /** The target has answered something: a timeout from here on is evidence. */
  readonly heard: () => void;
}

/** A timer that fires this late shows a stall of this process, in which no answer could be read. */
const STALL_MS = 50;

export interface AttemptOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly open: OpenConnection;
  /** Called with an unforeseen error that broke the check. */
  readonly onBroken: (thrown: unknown) => void;
}

/**
 * Runs one check over a connection of its own, which is destroyed when the check is decided.
 * A stall of this process is not held against the target: it is given the lost time again, at most as much as it had.
 * Whatever the check throws, at its beginning or later, is a failure of the check and of nothing else.
 *
 * @param begin Opens the connection and tells the attempt what happens.
 */
export function attempt(options: AttemptOptions, begin: (attempt: Attempt) => void): Promise<Observation | undefined> {
  const { clock, timeoutMs, signal, open, onBroken } = options;
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
      // Some reasons quote the target, and it may say a lot.
      const reason = seen?.reason.slice(0, MAX_HEALTH_REASON_LENGTH) ?? "";
      resolve(seen && { ...seen, reason, durationMs: clock.monotonic() - startedAt });
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
    const guard = (run: () => void) => {
      if (decided) return;
      try {
        run();
      } catch (thrown) {
        onBroken(thrown);
        const why = thrown instanceof Error ? thrown.message : String(thrown);
        decide({ outcome: "fail", reason: `the check broke: ${why}`, ambiguous: false });
      }
    };
    const onError = (error: Error) => {
      const failure = failureOf(error);
      decide(failure && { outcome: "fail", ...failure });
    };
    let stopTimer = giveUpAt(startedAt + timeoutMs);
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    const under: Attempt = {
      open: (tls, protocols) => {
        socket = open(tls, protocols);
        // It may still fail after the decision, when nobody listens any more.
        socket.on("error", onError);
        return socket;
      },
      on: (from, event, listener) => {
        from.on(event, (...args) => guard(() => listener(...(args as never[]))));
      },
      pass: (reason) => decide({ outcome: "pass", reason, ambiguous: false }),
      degraded: (reason) => decide({ outcome: "degraded", reason, ambiguous: false }),
      fail: (reason) => decide({ outcome: "fail", reason, ambiguous: false }),
      error: onError,
      heard: () => {
        heard = true;
      },
    };
    guard(() => begin(under));
  });
}
