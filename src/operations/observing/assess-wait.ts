import type { Progress } from "../../fleet/node-directory.ts";

export type OnDisconnected = "WAIT" | "SKIP" | "FAIL";

export interface WaitGoal {
  /** How many must be done; undefined means all. */
  readonly atLeast: number | undefined;
  readonly onDisconnected: OnDisconnected;
  /** How many proxies share an id, where several do: they are done when all of them are. */
  readonly copies?: ReadonlyMap<string, number>;
  /** How many replicas there are whose proxies nobody knows. */
  readonly unknownReplicas: number;
}

/** A proxy that is not done, and why. */
export interface Pending {
  readonly id: string;
  readonly state: Exclude<Progress["state"], "done">;
  readonly message: string;
}

export interface Assessment {
  readonly outcome: "waiting" | "reached" | "refused" | "disconnected";
  readonly total: number;
  readonly done: number;
  readonly pending: readonly Pending[];
  /** Proxies that are away and therefore left out. */
  readonly skipped: readonly string[];
}

const NO_COPIES: ReadonlyMap<string, number> = new Map();

/**
 * Where a wait stands. Only an acknowledgement counts as done: what is held, disconnected or unknown is listed, never
 * counted. A refusal ends the wait, whatever the others do. While a replica is unknown, nobody can say that all are done.
 */
export function assessWait(
  progress: ReadonlyMap<string, Progress>,
  { atLeast, onDisconnected, unknownReplicas, copies = NO_COPIES }: WaitGoal,
): Assessment {
  const isSkipped = ({ state }: Progress) => onDisconnected === "SKIP" && state === "disconnected";
  const all = [...progress].filter(([, one]) => !isSkipped(one));
  const skipped = [...progress].flatMap(([id, one]) => (isSkipped(one) ? id : []));
  const pending = all.flatMap(([id, one]): Pending[] =>
    one.state === "done" ? [] : [{ id, state: one.state, message: one.message }],
  );
  const count = (ids: readonly string[]) => ids.reduce((sum, id) => sum + (copies.get(id) ?? 1), 0);
  const total = count(all.map(([id]) => id));
  const done = total - count(pending.map(({ id }) => id));
  const found = { total, done, pending, skipped };
  if (pending.some(({ state }) => state === "refused")) return { outcome: "refused", ...found };
  const isEnough = atLeast === undefined ? done >= total && unknownReplicas === 0 : done >= atLeast;
  if (isEnough) return { outcome: "reached", ...found };
  if (onDisconnected === "FAIL" && pending.some(({ state }) => state === "disconnected")) {
    return { outcome: "disconnected", ...found };
  }
  return { outcome: "waiting", ...found };
}
