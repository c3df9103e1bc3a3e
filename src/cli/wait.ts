import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import {
  WaitForRevisionRequest_Disconnected as Disconnected,
  WaitForRevisionResponse_Outcome as Outcome,
  type WaitForRevisionResponse,
  WaitForRevisionResponseSchema,
} from "../gen/fairlead/admin/v1/observe_pb.ts";
import { AdminError } from "./admin-error.ts";
import { messageJson } from "./data-text.ts";
import { CliFailure, EXIT, type ExitCode } from "./exit.ts";
import { type CliContext, type CliIo, printLines } from "./io.ts";
import { unknownText } from "./node-text.ts";
import type { WaitFlags } from "./options.ts";
import { Progress } from "./progress.ts";
import { cellText } from "./table.ts";
import { durationText } from "./time-text.ts";

/** What the API takes as the newest revision at the time of the call. */
export const NEWEST_REVISION = "";

/** The server ends the wait; the client gives up a little later in case the server does not. */
const GRACE_MS = 5000;

/**
 * Waits until every proxy that a revision concerns has acknowledged it, and prints
 * `  acknowledged by 12 of 12 proxies in 63 ms` after the label.
 *
 * @throws CliFailure with `failed` when a proxy refused it, with `notReached` otherwise.
 */
export async function printWait(context: CliContext, revision: string, flags: WaitFlags, label = ""): Promise<void> {
  const answer = await lastAnswer(context, openWait(context, { revision }, flags), CHANGE_MADE);
  printOutcome(context.io, label, outcomeLines(answer));
}

/**
 * Waits until a proxy has acknowledged what is sent to it again, of one type (`LDS`) or of all, and prints that.
 *
 * @throws CliFailure with `notReached` when the proxy refuses it, is away or takes longer.
 */
export async function printResent(
  context: CliContext,
  { id, type }: { readonly id: string; readonly type: string },
  flags: Pick<WaitFlags, "timeout" | "onDisconnected">,
): Promise<void> {
  const stream = openWait(context, { onItsWay: { type } }, { ...flags, nodes: [id] });
  const answer = await lastAnswer(context, stream, SENT_AGAIN);
  printOutcome(context.io, "", outcomeLines(answer, SENT_AGAIN, EXIT.notReached));
}

/** What has been done, however a wait ends: its failure begins with this. */
const CHANGE_MADE = "the change was made";
const SENT_AGAIN = "it was sent again";

async function lastAnswer(
  context: CliContext,
  answers: AsyncIterable<WaitForRevisionResponse>,
  done: string,
): Promise<WaitForRevisionResponse> {
  const progress = new Progress(context.io);
  try {
    for await (const answer of answers) {
      if (answer.outcome === Outcome.WAITING || answer.outcome === Outcome.OUTCOME_UNSPECIFIED) {
        const unknown = answer.unknownReplicas.map((one) => `; ${unknownText(one)}`).join("");
        progress.show(`  waiting       ${answer.done} of ${answer.total} proxies have acknowledged${unknown}`);
        continue;
      }
      noteAnswer(context, answer);
      return answer;
    }
  } catch (error) {
    throw waitFailure(error, done);
  } finally {
    progress.clear();
  }
  throw new CliFailure(EXIT.notReached, `${done}, but the plane ended the wait without a result`);
}

function noteAnswer({ outcome }: CliContext, answer: WaitForRevisionResponse): void {
  outcome.put({ wait: messageJson(WaitForRevisionResponseSchema, answer) });
}

/** Prints the label before the first line only. */
export function printOutcome(io: CliIo, label: string, [first = "", ...more]: readonly string[]): void {
  printLines(io, [`  ${label}${first}`, ...more]);
}

/** The proxies' progress with a revision, while something else is awaited too. */
export interface FollowedWait {
  /**
   * `acknowledged by 11 of 12 proxies in 63 ms`, once every connected proxy has; those that are away are named, one line
   * each. Rejects as `printWait` does when connected proxies take longer than `--timeout`.
   */
  readonly connected: Promise<readonly string[]>;
  /** The proxies that have not acknowledged yet, one line each. */
  missing(): readonly string[];
  end(): void;
}

/** Keeps waiting for proxies that are away, `forMs` at most: they may come back while something else is awaited. */
export function followWait(context: CliContext, revision: string, flags: WaitFlags, forMs: number): FollowedWait {
  const { clock } = context.io;
  const stop = new AbortController();
  const result = Promise.withResolvers<readonly string[]>();
  let last: WaitForRevisionResponse | undefined;
  const stopTimer = clock.after(flags.timeout, () => {
    result.reject(notReached(CHANGE_MADE, "it was not acknowledged in time", last));
  });
  const follow = async () => {
    for await (const answer of openWait(context, { revision }, { ...flags, timeout: forMs }, stop.signal)) {
      last = answer;
      noteAnswer(context, answer);
      if (answer.outcome !== Outcome.WAITING) result.resolve(outcomeLines(answer));
      else if (isOnlyAway(answer)) result.resolve(acknowledgedLines(answer));
    }
  };
  follow().then(
    () => result.reject(notReached(CHANGE_MADE, "the plane ended the wait", last)),
    (error) => result.reject(waitFailure(error)),
  );
  return {
    connected: result.promise.finally(stopTimer),
    missing: () => missingLines(last),
    end: () => stop.abort(),
  };
}

const ON_DISCONNECTED: Readonly<Record<WaitFlags["onDisconnected"], Disconnected>> = {
  wait: Disconnected.WAIT,
  skip: Disconnected.SKIP,
  fail: Disconnected.FAIL,
};

function openWait(
  context: CliContext,
  awaited: { readonly revision: string } | { readonly onItsWay: { readonly type: string } },
  { timeout, onDisconnected, allowEmpty, nodes, atLeast }: WaitFlags,
  ...stops: readonly AbortSignal[]
) {
  const request = {
    ...awaited,
    timeout: durationFromMs(timeout),
    onDisconnected: ON_DISCONNECTED[onDisconnected],
    allowEmpty: allowEmpty === true,
    nodes: [...(nodes ?? [])],
    atLeast: atLeast ?? 0,
  };
  const signal = AbortSignal.any([context.io.signal, ...stops].filter((one) => one !== undefined));
  const options = { signal, deadlineMs: timeout + GRACE_MS };
  return context.admin().stream(AdminService.method.waitForRevision, request, options);
}

function waitFailure(error: unknown, done = CHANGE_MADE): unknown {
  if (!(error instanceof AdminError)) return error;
  return new CliFailure(EXIT.notReached, `${done}, but the wait failed: ${error.message}`, { cause: error });
}

function outcomeLines(
  answer: WaitForRevisionResponse,
  done = CHANGE_MADE,
  refused: ExitCode = EXIT.failed,
): readonly string[] {
  if (answer.outcome === Outcome.REACHED) {
    if (answer.total > 0) return acknowledgedLines(answer);
    return ["no proxy is connected: nothing to wait for", ...skippedLines(answer)];
  }
  if (answer.outcome === Outcome.REFUSED) throw notReached(done, "a proxy refused it", answer, refused);
  if (answer.outcome === Outcome.DISCONNECTED) throw notReached(done, "a proxy is disconnected", answer);
  throw notReached(done, `it was not acknowledged${tookText(answer)}`, answer);
}

function acknowledgedLines(answer: WaitForRevisionResponse): readonly string[] {
  return [
    `acknowledged by ${answer.done} of ${answer.total} proxies${tookText(answer)}`,
    ...missingLines(answer),
    ...skippedLines(answer),
  ];
}

function notReached(
  done: string,
  why: string,
  answer: WaitForRevisionResponse | undefined,
  exitCode: ExitCode = EXIT.notReached,
): CliFailure {
  const { done: count = 0, total = 0 } = answer ?? {};
  const summary = `${done}, but ${why}: ${count} of ${total} proxies acknowledged it`;
  return new CliFailure(exitCode, [summary, ...missingLines(answer)]);
}

function tookText({ elapsed }: WaitForRevisionResponse): string {
  return elapsed === undefined ? "" : ` in ${durationText(elapsed)}`;
}

function isOnlyAway({ pending, unknownReplicas }: WaitForRevisionResponse): boolean {
  return unknownReplicas.length === 0 && pending.every(({ state }) => state === "disconnected");
}

function skippedLines({ skipped }: WaitForRevisionResponse): readonly string[] {
  return skipped.map((id) => `  ${cellText(id)}: disconnected, not waited for`);
}

/** One line each: `edge-7: disconnected, no open stream`. */
function missingLines(answer: WaitForRevisionResponse | undefined): readonly string[] {
  const { pending = [], unknownReplicas = [] } = answer ?? {};
  const proxies = pending.map(({ id, state, message }) => `${id}: ${state}${message === "" ? "" : `, ${message}`}`);
  const replicas = unknownReplicas.map((one) => `${unknownText(one)}: its proxies are unknown`);
  return [...proxies, ...replicas].map((line) => `  ${cellText(line)}`);
}
