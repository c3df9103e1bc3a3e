import { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import {
  WaitForRevisionRequest_Disconnected as Disconnected,
  WaitForRevisionResponse_Outcome as Outcome,
  type PendingNode,
  type WaitForRevisionResponse,
} from "../gen/fairlead/admin/v1/observe_pb.ts";
import { AdminError } from "./admin-error.ts";
import { CliFailure, EXIT } from "./exit.ts";
import type { CliContext } from "./io.ts";
import type { WaitFlags } from "./options.ts";
import { Progress } from "./progress.ts";
import { formatDuration, fromDuration, toDuration } from "./time-text.ts";

/** The server ends the wait; the client gives up a little later in case that the server does not. */
const GRACE_MS = 5000;

/**
 * Waits until every proxy that a revision concerns has acknowledged it; returns `acknowledged by 12 of 12 proxies in 63 ms`.
 *
 * @throws CliFailure with `failed` when a proxy refused it, with `notReached` otherwise.
 */
export async function waitForRevision(context: CliContext, revision: string, flags: WaitFlags): Promise<string> {
  const progress = new Progress(context.io);
  try {
    for await (const answer of openWait(context, revision, flags)) {
      if (answer.outcome === Outcome.WAITING || answer.outcome === Outcome.OUTCOME_UNSPECIFIED) {
        progress.show(`  waiting       ${answer.done} of ${answer.total} proxies acknowledged`);
        continue;
      }
      progress.clear();
      return outcomeText(answer);
    }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    const why = error.reason === "NO_PROXIES" ? `${error.message} (--allow-empty)` : error.message;
    throw new CliFailure(EXIT.notReached, `the change is made, but nothing could be awaited: ${why}`, { cause: error });
  } finally {
    progress.clear();
  }
  throw new CliFailure(EXIT.notReached, "the change is made, but the plane ended the wait without a result");
}

const ON_DISCONNECTED: Readonly<Record<WaitFlags["onDisconnected"], Disconnected>> = {
  wait: Disconnected.WAIT,
  skip: Disconnected.SKIP,
  fail: Disconnected.FAIL,
};

function openWait(context: CliContext, revision: string, { timeout, onDisconnected, allowEmpty }: WaitFlags) {
  const request = {
    revision,
    timeout: toDuration(timeout),
    onDisconnected: ON_DISCONNECTED[onDisconnected],
    allowEmpty: allowEmpty === true,
  };
  const options = { signal: context.io.signal, deadlineMs: timeout + GRACE_MS };
  return context.admin().stream(AdminService.method.waitForRevision, request, options);
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
