import type { OnItsWay, UnknownReplica } from "../../fleet/node-directory.ts";
import type { Revision } from "../../store/revision.ts";
import type { Caller, Context } from "../context.ts";
import { badField } from "../object-errors.ts";
import { type Assessment, assessWait } from "./assess-wait.ts";
import { AwaitedProxies, type Wanted } from "./awaited-proxies.ts";
import { Pulse } from "./pulse.ts";

export const DEFAULT_WAIT_MS = 30_000;
const MAX_WAIT_MS = 3_600_000;
/** The least time between two looks of one wait; at the first change it looks at once. */
const PROGRESS_INTERVAL_MS = 100;
/** Between two looks for proxies that joined, which needs all proxies; also a net for changes that nobody signalled. */
const JOINED_INTERVAL_MS = 1000;
/** How many proxies one answer lists of those that are not done, and of those that joined; all of them are counted. */
const MAX_LISTED = 1000;

export interface WaitOrder extends Wanted {
  /** Undefined: what this replica has folded. */
  readonly revision: Revision | undefined;
  /** Waits for this instead of a revision. */
  readonly onItsWay: OnItsWay | undefined;
  /** Default: `DEFAULT_WAIT_MS`. */
  readonly timeoutMs: number | undefined;
}

/** How far a wait is; its result, when it is no longer waiting. */
export interface WaitStep extends Omit<Assessment, "outcome"> {
  readonly outcome: Assessment["outcome"] | "timedOut";
  /** Proxies that connected after the wait began. */
  readonly joined: readonly string[];
  readonly elapsedMs: number;
  readonly revision: Revision;
  readonly unknown: readonly UnknownReplica[];
}

/**
 * Waits until the proxies that a revision concerns have acknowledged all that was due at it, on whichever replica they are.
 * Answers at each step, and last with the outcome. Instead of a revision, it may wait for what is on its way to them now.
 *
 * The set of proxies is frozen here: connected now, or seen lately. One that was done once stays done, even if it goes
 * away while others are waited for. A replica that is silent now may hold more of them: those are added once they are known.
 *
 * @throws ControlPlaneError `precondition` / `NO_PROXIES` or `NOT_ENOUGH_PROXIES`; `notFound` / `NODE_NOT_FOUND`.
 */
export async function* waitForRevision(context: Context, caller: Caller, order: WaitOrder): AsyncGenerator<WaitStep> {
  const { clock, mirror, nodes } = context;
  const { onItsWay, onDisconnected } = order;
  const revision = order.revision ?? mirror.revision;
  const timeoutMs = checkedTimeout(order);
  const startedAt = clock.monotonic();
  const pulse = new Pulse(clock, caller.signal);
  const stopListening = nodes.onChange(() => pulse.beat());
  const stopFollowing = mirror.onFold(() => pulse.beat());
  try {
    const awaited = await AwaitedProxies.freeze(nodes, mirror, order);
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
        atLeast: order.atLeast || undefined,
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
        yield {
          ...assessment,
          outcome: timedOut ? "timedOut" : assessment.outcome,
          pending: listed(assessment.pending),
          joined: joined.slice(0, MAX_LISTED),
          elapsedMs,
          revision,
          unknown,
          skipped: [...awaited.skipped, ...assessment.skipped].slice(0, MAX_LISTED),
        };
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

function checkedTimeout({ timeoutMs = DEFAULT_WAIT_MS, onItsWay, revision }: WaitOrder): number {
  if (onItsWay !== undefined && revision !== undefined)
    throw badField("onItsWay", "cannot be combined with revision: give one of the two");
  if (timeoutMs > 0 && timeoutMs <= MAX_WAIT_MS) return timeoutMs;
  throw badField("timeout", `must be more than 0s and at most ${MAX_WAIT_MS / 1000}s, not ${timeoutMs / 1000}s`);
}
