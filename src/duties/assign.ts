import type { Name } from "../domain/name.ts";
import type { Assignment } from "../store/keys/assignment-record.ts";

/**
 * The worker that checks a backend: the one whose hash with it is the greatest (rendezvous hashing), so when a worker
 * leaves, only its own share moves, evenly to the others. Undefined when there is no worker.
 */
export function workerOf(backend: Name, { workers }: Pick<Assignment, "workers">): string | undefined {
  let best: string | undefined;
  let bestHash = -1;
  for (const worker of workers) {
    const hash = hashOf(worker, backend);
    if (hash > bestHash || (hash === bestHash && best !== undefined && worker < best)) {
      best = worker;
      bestHash = hash;
    }
  }
  return best;
}

export type AssignPlan =
  | { readonly change: false }
  /** Written in one batch over the keys of all `revoked` and `workers`: a worker that loses one is fenced as another gains it. */
  | { readonly change: true; readonly assignment: Assignment; readonly revoked: readonly string[] };

/**
 * What the assign duty has to do. Nothing while no worker is live: the verdicts stay, and so do the shares of workers
 * that may come back.
 */
export function planAssign(current: Assignment, live: readonly string[]): AssignPlan {
  const workers = [...new Set(live)].sort();
  const same = workers.length === current.workers.length && workers.every((worker, i) => worker === current.workers[i]);
  if (same || workers.length === 0) return { change: false };
  const revoked = current.workers.filter((worker) => !workers.includes(worker));
  return { change: true, assignment: { workers, round: current.round + 1 }, revoked };
}

/** FNV-1a over both names, mixed until every bit counts (the finalizer of MurmurHash3). */
function hashOf(worker: string, backend: Name): number {
  let hash = 0x811c9dc5;
  for (const text of [worker, "\0", backend]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
