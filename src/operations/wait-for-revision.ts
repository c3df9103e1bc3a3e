import { create } from "@bufbuild/protobuf";
import { type Duration, durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { ControlPlaneError } from "../domain/errors.ts";
import type { NodeView, Progress } from "../fleet/node-directory.ts";
import {
  WaitForRevisionRequest_Disconnected as Disconnected,
  WaitForRevisionResponse_Outcome as Outcome,
  type WaitForRevisionRequest,
  type WaitForRevisionResponse,
  WaitForRevisionResponseSchema,
} from "../gen/fairlead/admin/v1/observe_pb.ts";
import { formatRevision, parseRevision, type Revision } from "../store/revision.ts";
import { type Assessment, assessWait, type OnDisconnected } from "./assess-wait.ts";
import type { Caller, Context } from "./context.ts";
import { nodeNotFound } from "./get-node.ts";
import { badField, readName } from "./object-errors.ts";
import { Pulse } from "./pulse.ts";

const DEFAULT_WAIT_MS = 30_000;
const MAX_WAIT_MS = 3_600_000;
/** Between two looks of one wait, at least; the first change is looked at at once. */
const PROGRESS_INTERVAL_MS = 100;
/** Between two looks for proxies that joined, which needs all of them; also a net for a change that nobody told. */
const JOINED_INTERVAL_MS = 1000;

const OUTCOME: Readonly<Record<Assessment["outcome"], Outcome>> = {
  waiting: Outcome.WAITING,
  reached: Outcome.REACHED,
  refused: Outcome.REFUSED,
  disconnected: Outcome.DISCONNECTED,
};

/**
 * Waits until the proxies that a revision concerns have acknowledged all that was due at it. Answers with each progress,
 * and last with the outcome.
 *
 * The set of proxies is frozen here: connected now, or seen lately. One that was done once stays done, also when it goes
 * away while others are waited for.
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
  const timeoutMs = readTimeout(request.timeout);
  const goal = { atLeast: request.atLeast || undefined, onDisconnected: readDisconnected(request.onDisconnected) };
  const isConcerned = selector(request);
  const progress = new Map<string, Progress>();
  for (const { id } of freeze(context, request, isConcerned)) progress.set(id, { state: "unknown", message: "" });
  const startedAt = clock.monotonic();
  const pulse = new Pulse(clock, caller.signal);
  const stopListening = nodes.onChange(() => pulse.beat());
  const stopFollowing = mirror.onFold(() => pulse.beat());
  try {
    let told = "";
    let joined: string[] = [];
    let countedAt = startedAt;
    for (;;) {
      for (const [id, { state }] of progress) {
        if (state !== "done") progress.set(id, nodes.progress(id, revision));
      }
      const assessment = assessWait(progress, goal);
      const now = clock.monotonic();
      const elapsedMs = now - startedAt;
      const timedOut = assessment.outcome === "waiting" && elapsedMs >= timeoutMs;
      const isLast = timedOut || assessment.outcome !== "waiting";
      if (isLast || now - countedAt >= JOINED_INTERVAL_MS) {
        joined = joinedIn(nodes.nodes(), progress, isConcerned);
        countedAt = now;
      }
      const news = JSON.stringify([assessment, joined]);
      if (isLast || news !== told) {
        yield create(WaitForRevisionResponseSchema, {
          outcome: timedOut ? Outcome.TIMED_OUT : OUTCOME[assessment.outcome],
          total: assessment.total,
          done: assessment.done,
          pending: assessment.pending.map((pending) => ({ ...pending })),
          joined,
          elapsed: durationFromMs(Math.round(elapsedMs)),
          revision: formatRevision(revision),
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

function freeze(
  { nodes }: Context,
  { nodes: named, allowEmpty, atLeast, onDisconnected }: WaitForRevisionRequest,
  isConcerned: (node: NodeView) => boolean,
): readonly NodeView[] {
  const skip = onDisconnected === Disconnected.SKIP;
  const known = nodes.nodes();
  const unknown = named.filter((id) => !known.some((node) => node.id === id));
  if (unknown.length > 0) throw nodeNotFound(unknown);
  const concerned = known.filter((node) => isConcerned(node) && (node.connected || !skip));
  const count = new Set(concerned.map(({ id }) => id)).size;
  if (count === 0 && !allowEmpty) {
    throw unmet(
      "NO_PROXIES",
      "no proxy is connected, nor was seen lately, that this would wait for; allow_empty takes that",
    );
  }
  if (count < atLeast) {
    throw unmet("NOT_ENOUGH_PROXIES", `at_least is ${atLeast}, but it concerns ${count} proxies only`);
  }
  return concerned;
}

function unmet(code: string, message: string): ControlPlaneError {
  return new ControlPlaneError({ kind: "precondition", code, message });
}

function selector({ fleet, nodes }: WaitForRevisionRequest): (node: NodeView) => boolean {
  const wantedFleet = fleet === "" ? undefined : readName("fleet", fleet, "fleet");
  const wanted = nodes.length === 0 ? undefined : new Set(nodes);
  return (node) =>
    (wantedFleet === undefined || node.fleet === wantedFleet) && (wanted === undefined || wanted.has(node.id));
}

function joinedIn(
  nodes: readonly NodeView[],
  frozen: ReadonlyMap<string, Progress>,
  isConcerned: (node: NodeView) => boolean,
): string[] {
  const ids = nodes.filter((node) => node.connected && !frozen.has(node.id) && isConcerned(node)).map(({ id }) => id);
  return [...new Set(ids)];
}

function readRevision(text: string): Revision | undefined {
  if (text === "") return undefined;
  const revision = parseRevision(text);
  if (revision === undefined) throw badField("revision", `"${text}" is not a revision that a write gave`);
  return revision;
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
