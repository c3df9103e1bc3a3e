import { isDeepStrictEqual } from "node:util";
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

/**
 * The assignment that follows the current one; undefined where it stays. It stays while no worker is live: so do the
 * verdicts, and the shares of workers that may come back.
 */
export function planAssign(current: Assignment, live: readonly string[]): Assignment | undefined {
  const workers = [...new Set(live)].sort();
  if (workers.length === 0 || isDeepStrictEqual(workers, current.workers)) return undefined;
  return { workers, round: current.round + 1 };
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
