import { below, type RecordForm, readFields, writeText } from "./record-form.ts";

/** Who checks what: every worker works out its own share from this, so no list of backends is ever written. */
export interface Assignment {
  /** The workers that share the backends, sorted. */
  readonly workers: readonly string[];
  /** Grows by one each time: a worker that has not seen the one before does not know who checked what meanwhile. */
  readonly round: number;
}

/**
 * Each worker has a key of its own, by the token of its name: it holds its share. The last write of that key is
 * the fencing token of its writes.
 */
export const ASSIGNMENT: RecordForm<Assignment> = {
  ...below("assign/"),
  what: "share of checks",
  encode: ({ workers, round }) => writeText(JSON.stringify({ workers, round })),
  decode: (bytes) => {
    const { workers, round } = readFields(bytes);
    if (!Array.isArray(workers) || typeof round !== "number") return undefined;
    return { workers: workers.filter((worker) => typeof worker === "string"), round };
  },
};
