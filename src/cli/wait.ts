import { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import {
  WaitForRevisionResponse_Outcome as Outcome,
  type PendingNode,
  type WaitForRevisionResponse,
} from "../gen/fairlead/admin/v1/observe_pb.ts";
import { AdminError } from "./admin-error.ts";
import { CliFailure, EXIT } from "./exit.ts";
import type { CliContext } from "./io.ts";
import { Progress } from "./progress.ts";
import { formatDuration, fromDuration, toDuration } from "./time-text.ts";

export interface WaitOptions {
  readonly revision: string;
  readonly timeoutMs: number;
  /** An empty set of proxies is a failure otherwise. */
  readonly allowEmpty: boolean;
}

/** The server ends the wait; the client gives up a little later in case that the server does not. */
const GRACE_MS = 5000;

/**
 * Waits until every proxy that a revision concerns has acknowledged it; returns `acknowledged by 12 of 12 proxies in 63 ms`.
 *
 * @throws CliFailure with `failed` when a proxy refused it, with `notReached` otherwise.
 */
export async function waitForRevision(context: CliContext, options: WaitOptions): Promise<string> {
  const progress = new Progress(context.io);
  try {
    for await (const answer of openWait(context, options)) {
      if (answer.outcome === Outcome.WAITING || answer.outcome === Outcome.OUTCOME_UNSPECIFIED) {
        progress.show(`  waiting       ${answer.done} of ${answer.total} proxies acknowledged`);
        continue;
      }
      progress.clear();
      return outcomeText(answer);
    }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    throw new CliFailure(EXIT.notReached, `the change is made, but waiting for the proxies failed: ${error.message}`, {
      cause: error,
    });
  } finally {
    progress.clear();
  }
  throw new CliFailure(EXIT.notReached, "the change is made, but the plane ended the wait without a result");
}

function openWait(context: CliContext, { revision, timeoutMs, allowEmpty }: WaitOptions) {
  return context
    .admin()
    .stream(
      AdminService.method.waitForRevision,
      { revision, timeout: toDuration(timeoutMs), allowEmpty },
      { signal: context.io.signal, deadlineMs: timeoutMs + GRACE_MS },
    );
}

function outcomeText(answer: WaitForRevisionResponse): string {
  const took = answer.elapsed === undefined ? "" : ` in ${formatDuration(fromDuration(answer.elapsed))}`;
  const counts = `${answer.done} of ${answer.total} proxies`;
  const pending = answer.pending.map(pendingLine).join("");
  if (answer.outcome === Outcome.REACHED) {
    return answer.total === 0
      ? "no proxy is connected: nothing to wait for"
      : `acknowledged by ${counts}${took}${pending}`;
  }
  if (answer.outcome === Outcome.REFUSED) {
    throw new CliFailure(EXIT.failed, `refused by a proxy; the change is made, ${counts} acknowledged it${pending}`);
  }
  const why = answer.outcome === Outcome.DISCONNECTED ? "a proxy is away" : `not reached${took}`;
  throw new CliFailure(EXIT.notReached, `${why}: the change is made, ${counts} acknowledged it${pending}`);
}

function pendingLine({ id, state, message }: PendingNode): string {
  return `\n  ${id}: ${state}${message === "" ? "" : `, ${message}`}`;
}
