import { ControlPlaneError, invalid } from "../domain/errors.ts";
import { fenced, mismatch } from "./errors.ts";
import { MAX_REQUEST_ID_LENGTH } from "./journal.ts";
import {
  type Batch,
  type Guard,
  MAX_BATCH_BYTES,
  MAX_BATCH_COST,
  MAX_KEY_LENGTH,
  MAX_RESULT_BYTES,
  MAX_VALUE_BYTES,
} from "./state-store.ts";

const KEY = /^[A-Za-z0-9=-][A-Za-z0-9_=-]*(\/[A-Za-z0-9_=-]+)*$/;

/** Refuses a batch that no store accepts. Does not check guards. */
export function checkBatch({ ops, cause, guard }: Batch): void {
  const keys = new Set<string>();
  let bytes = 0;
  let cost = 0;
  for (const op of ops) {
    cost += op.op === "put" && op.history !== undefined ? 2 : 1;
    // What somebody else put under an invalid key can be removed, but only with the revision that it was found at.
    if (op.op === "put" || typeof op.guard !== "object") checkKey(op.key);
    if (keys.has(op.key))
      throw invalid("DUPLICATE_KEY", [{ field: "", message: `${op.key} occurs twice in one batch` }]);
    keys.add(op.key);
    if (op.op === "put") {
      for (const value of op.history === undefined ? [op.value] : [op.value, op.history.value ?? op.value]) {
        checkValue(op.key, value);
        bytes += value.byteLength;
      }
    }
  }
  if (guard !== undefined) checkKey(guard.key);
  if (cause.requestId.length > MAX_REQUEST_ID_LENGTH) {
    const message = `a request id has at most ${MAX_REQUEST_ID_LENGTH} characters`;
    throw invalid("BAD_REQUEST_ID", [{ field: "request_id", message }]);
  }
  if (cause.result !== undefined) checkSize("the result of a request", cause.result, MAX_RESULT_BYTES);
  if (cost > MAX_BATCH_COST || bytes > MAX_BATCH_BYTES) {
    throw new ControlPlaneError({
      kind: "exhausted",
      code: "BATCH_TOO_LARGE",
      message: `the batch has a cost of ${cost} and ${bytes} bytes; at most a cost of ${MAX_BATCH_COST} and ${MAX_BATCH_BYTES} bytes can be written at once`,
      details: { cost: String(cost), bytes: String(bytes) },
    });
  }
}

export function checkKey(key: string): void {
  if (key.length <= MAX_KEY_LENGTH && KEY.test(key)) return;
  const message = `"${key.slice(0, MAX_KEY_LENGTH)}" is not a key: up to ${MAX_KEY_LENGTH} characters, tokens of letters, digits, "_", "=" and "-" joined by "/", the first not beginning with "_"`;
  throw invalid("BAD_KEY", [{ field: "", message }]);
}

export function checkValue(key: string, value: Uint8Array): void {
  checkSize(key, value, MAX_VALUE_BYTES);
}

/**
 * Whether a guard holds for a key that was last written at `position`; undefined: the key is absent. A revision of another
 * epoch never holds.
 */
export function guardHolds(guard: Guard | undefined, position: number | undefined, epoch: number): boolean {
  if (guard === undefined || guard === "any") return true;
  if (guard === "absent") return position === undefined;
  if (guard === "present") return position !== undefined;
  return guard.epoch === epoch && guard.position === position;
}

/**
 * The error for a batch of which a guard does not hold; undefined if all of them hold.
 *
 * @param positionOf Where a key was last written; undefined if it is absent.
 */
export function failedGuard(
  { guard: ofBatch, ops }: Batch,
  epoch: number,
  positionOf: (key: string) => number | undefined,
): ControlPlaneError | undefined {
  const holds = ({ key, guard }: { key: string; guard?: Guard }) => guardHolds(guard, positionOf(key), epoch);
  if (ofBatch !== undefined && !holds({ key: ofBatch.key, guard: ofBatch.revision })) return fenced(ofBatch.key);
  const failed = ops.find((op) => !holds(op));
  return failed && mismatch(failed.key);
}

/** The place of a history copy: in a ring of `keep` slots, a new copy replaces the oldest. */
export function historySlot({ generation, keep }: { readonly generation: number; readonly keep: number }): number {
  return generation % keep;
}

/** Whether a commit goes into the journal: writes that the plane makes for itself do not. */
export function isJournaled(batch: Batch): boolean {
  return !batch.cause.operation.startsWith("-");
}

function checkSize(what: string, value: Uint8Array, limit: number): void {
  if (value.byteLength <= limit) return;
  throw new ControlPlaneError({
    kind: "exhausted",
    code: "VALUE_TOO_LARGE",
    message: `${what} has ${value.byteLength} bytes; at most ${limit} are stored`,
    details: { bytes: String(value.byteLength), limit: String(limit) },
  });
}
