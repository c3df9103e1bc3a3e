import { create } from "@bufbuild/protobuf";
import { type Duration, durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import type { OnItsWay } from "../../fleet/node-directory.ts";
import {
  WaitForRevisionRequest_Disconnected as Disconnected,
  WaitForRevisionResponse_Outcome as Outcome,
  type WaitForRevisionRequest,
  type WaitForRevisionResponse,
  WaitForRevisionResponseSchema,
} from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { formatRevision, parseRevision, type Revision } from "../../store/revision.ts";
import type { Caller, Context } from "../context.ts";
import { badField } from "../object-errors.ts";
import { type Assessment, assessWait, type OnDisconnected } from "./assess-wait.ts";
import { AwaitedProxies } from "./awaited-proxies.ts";
import { unknownMessage } from "./node-message.ts";
import { Pulse } from "./pulse.ts";
import { readResourceType } from "./resource-type.ts";

export const DEFAULT_WAIT_MS = 30_000;
const MAX_WAIT_MS = 3_600_000;
/** The least time between two looks of one wait; at the first change it looks at once. */
const PROGRESS_INTERVAL_MS = 100;
/** Between two looks for proxies that joined, which needs all proxies; also a net for changes that nobody signalled. */
const JOINED_INTERVAL_MS = 1000;
/** How many proxies one answer lists of those that are not done, and of those that joined; all of them are counted. */
const MAX_LISTED = 1000;

const OUTCOME: Readonly<Record<Assessment["outcome"], Outcome>> = {
  waiting: Outcome.WAITING,
  reached: Outcome.REACHED,
  refused: Outcome.REFUSED,
  disconnected: Outcome.DISCONNECTED,
};

/**
 * Waits until the proxies that a revision concerns have acknowledged all that was due at it, on whichever replica they are.
 * Answers at each step, and last with the outcome. Instead of a revision, it may wait for what is on its way to them now.
 *
 * The set of proxies is frozen here: connected now, or seen lately. One that was done once stays done, even if it goes
 * away while others are waited for. A replica that is silent now may hold more of them: those are added once they are known.
 *
 * @throws ControlPlaneError `precondition` / `NO_PROXIES` or `NOT_ENOUGH_PROXIES`; `notFound` / `NODE_NOT_FOUND`.
 */
export async function* waitForRevision(
  context: Context,
  caller: Caller,
  request: WaitForRevisionRequest,
): AsyncGenerator<WaitForRevisionResponse> {
  const { clock, mirror, nodes } = context;
  const revision = readRevision(request.revision) ?? mirror.revision;
  const onItsWay = readOnItsWay(request);
  const timeoutMs = readTimeout(request.timeout);
  const onDisconnected = readDisconnected(request.onDisconnected);
  const startedAt = clock.monotonic();
  const pulse = new Pulse(clock, caller.signal);
  const stopListening = nodes.onChange(() => pulse.beat());
  const stopFollowing = mirror.onFold(() => pulse.beat());
  try {
    const awaited = await AwaitedProxies.freeze(nodes, mirror, request);
    let told = "";
    let countedAt = startedAt;
    const count = async () => {
      await awaited.count();
      countedAt = clock.monotonic();
    };
    for (;;) {
      if (clock.monotonic() - countedAt >= JOINED_INTERVAL_MS) await count();
      await awaited.look(revision, onItsWay);
      const goal = {
        atLeast: request.atLeast || undefined,
        onDisconnected,
        copies: awaited.copies,
        unknownReplicas: awaited.unknown.length,
      };
      const assessment = assessWait(awaited.progress, goal);
      const elapsedMs = clock.monotonic() - startedAt;
      const timedOut = assessment.outcome === "waiting" && elapsedMs >= timeoutMs;
      const isLast = timedOut || assessment.outcome !== "waiting";
      if (isLast) await count();
      const { unknown, joined } = awaited;
      const news = JSON.stringify([assessment, joined, unknown.map(({ replica }) => replica)]);
      if (isLast || news !== told) {
        yield create(WaitForRevisionResponseSchema, {
          outcome: timedOut ? Outcome.TIMED_OUT : OUTCOME[assessment.outcome],
          total: assessment.total,
          done: assessment.done,
          pending: listed(assessment.pending).map((pending) => ({ ...pending })),
          joined: [...joined].slice(0, MAX_LISTED),
          elapsed: durationFromMs(Math.round(elapsedMs)),
          revision: formatRevision(revision),
          unknownReplicas: unknown.map(unknownMessage),
          skipped: [...awaited.skipped, ...assessment.skipped].slice(0, MAX_LISTED),
        });
      }
      if (isLast) return;
      told = news;
      await pulse.next({
        notBeforeMs: PROGRESS_INTERVAL_MS,
        atMostMs: Math.min(timeoutMs - elapsedMs, JOINED_INTERVAL_MS),
      });
    }
  } finally {
    stopListening();
    stopFollowing();
  }
}

/** Those that are away come last: where not all can be listed, the others are what must be seen. */
function listed(pending: Assessment["pending"]): Assessment["pending"] {
  if (pending.length <= MAX_LISTED) return pending;
  const isAway = ({ state }: Assessment["pending"][number]) => Number(state === "disconnected");
  return pending.toSorted((a, b) => isAway(a) - isAway(b)).slice(0, MAX_LISTED);
}

function readRevision(text: string): Revision | undefined {
  if (text === "") return undefined;
  const revision = parseRevision(text);
  if (revision === undefined) throw badField("revision", `"${text}" is not a revision that a write gave`);
  return revision;
}

function readOnItsWay({ onItsWay, revision }: WaitForRevisionRequest): OnItsWay | undefined {
  if (onItsWay === undefined) return undefined;
  if (revision !== "") throw badField("onItsWay", "is awaited instead of a revision: give one of them");
  return { typeUrl: readResourceType(onItsWay.type) };
}

function readTimeout(timeout: Duration | undefined): number {
  if (timeout === undefined) return DEFAULT_WAIT_MS;
  const ms = durationMs(timeout);
  if (ms > 0 && ms <= MAX_WAIT_MS) return ms;
  throw badField("timeout", `must be above 0s and at most ${MAX_WAIT_MS / 1000}s, not ${ms / 1000}s`);
}

function readDisconnected(value: Disconnected): OnDisconnected {
  switch (value) {
    case Disconnected.DISCONNECTED_UNSPECIFIED:
    case Disconnected.WAIT:
      return "WAIT";
    case Disconnected.SKIP:
      return "SKIP";
    case Disconnected.FAIL:
      return "FAIL";
    default:
      throw badField("onDisconnected", `${String(value)} is not a known value`);
  }
}
