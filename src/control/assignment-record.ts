import { keyToken } from "../store/key-token.ts";

/** Who checks what: every worker takes its own share of this, so that no list of backends is ever written. */
export interface Assignment {
  /** The workers that share the backends, sorted. */
  readonly workers: readonly string[];
  /** One more each time: who has not seen the one before does not know who checked what meanwhile. */
  readonly round: number;
}

/** Below it each worker has a key of its own: its share, and what fences its writes. */
export const ASSIGNMENTS = "assign/";

/** A worker's key. Its last write is what the worker proves its share with. */
export function assignmentKey(worker: string): string {
  return ASSIGNMENTS + keyToken(worker);
}

export function encodeAssignment({ workers, round }: Assignment): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ workers, round }));
}

/** Nothing for bytes of another form: then nobody has a share until it is written again. */
export function decodeAssignment(bytes: Uint8Array): Assignment | undefined {
  try {
    const { workers, round } = JSON.parse(new TextDecoder().decode(bytes)) as { workers?: unknown; round?: unknown };
    if (!Array.isArray(workers) || typeof round !== "number") return undefined;
    return { workers: workers.filter((worker) => typeof worker === "string"), round };
  } catch {
    return undefined;
  }
}
