import type { Batch } from "../../src/store/state-store.ts";

/** How many keys every batch writes; so a torn one shows. */
export const KEYS = 8;

/** Batch `i` gives all its keys the value `i`, and overwrites those of an earlier one. */
export function batchOf(i: number): Batch {
  const value = new TextEncoder().encode(String(i).padEnd(300 + (i % 7) * 1_000));
  return {
    ops: Array.from({ length: KEYS }, (_, k) => ({
      op: "put",
      key: `group${i % 5}/${k}`,
      value,
      history: { generation: i, keep: 4 },
    })),
    cause: { actor: "writer", operation: "write", reason: "", requestId: `batch-${i}` },
  };
}
