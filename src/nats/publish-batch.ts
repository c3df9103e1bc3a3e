import { headers, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import { BATCH_HEADER, formatBatchMark, ID_HEADER, MAX_BATCH_MESSAGES } from "./batch-mark.ts";
import { isSilence } from "./failure.ts";

const COMMIT_TIMEOUT_MS = 5_000;

const WRONG_LAST_SEQUENCE = 10_071;
const WRITE_IN_FLIGHT = 10_164;
/** The stream's leader changed in the middle of the batch. */
const INCOMPLETE = 10_176;
const TOO_MANY_BATCHES = 10_210;
const TRY_AGAIN = [WRONG_LAST_SEQUENCE, WRITE_IN_FLIGHT, INCOMPLETE, TOO_MANY_BATCHES];

export interface BucketWrite {
  readonly subject: string;
  readonly value: Uint8Array;
  /** Purges the subject, and leaves a marker that lives this long. */
  readonly purge?: { readonly markerTtlMs: number };
  readonly ttlMs?: number;
  /** Sequence that this subject's newest message must have; 0 if there must be none. */
  readonly expected?: number;
  /** The same for another subject. Excludes `expected`: the server accepts only one of the two. */
  readonly guard?: { readonly subject: string; readonly sequence: number };
}

export interface PublishOptions {
  /** Id of this batch, at most 64 characters; a single write needs none. */
  readonly id?: string;
  /** How many of the first writes no mirror listens to; 0 by default. */
  readonly hidden?: number;
  readonly writes: readonly BucketWrite[];
  /** How long to wait for the last answer. */
  readonly timeoutMs?: number;
}

export type PublishOutcome =
  /** Sequence of the batch's last message. */
  | { readonly kind: "written"; readonly sequence: number }
  /** An expectation did not hold, or could not be checked just now. Nothing was written. */
  | { readonly kind: "conflict" }
  /** Nothing was written. */
  | { readonly kind: "failed"; readonly error: unknown }
  /** It may have been written. */
  | { readonly kind: "unknown"; readonly error: unknown };

/**
 * Writes all or nothing: an atomic batch (ADR-50) is sent in one go, and only its last message is answered. A single
 * message is a plain publish with an acknowledgement.
 */
export async function publishBatch(
  connection: NatsConnection,
  { id = "", hidden = 0, writes, timeoutMs = COMMIT_TIMEOUT_MS }: PublishOptions,
): Promise<PublishOutcome> {
  const count = writes.length;
  if (count > MAX_BATCH_MESSAGES) throw new Error(`a batch of ${count} messages`);
  const messages = writes.map((write, i) => {
    const header = headersOf(write);
    header.set(BATCH_HEADER, formatBatchMark({ index: i + 1, count, hidden }));
    if (count > 1) {
      header.set("Nats-Batch-Id", id);
      header.set("Nats-Batch-Sequence", String(i + 1));
    }
    return { ...write, header };
  });
  const last = messages.pop();
  if (last === undefined) throw new Error("a batch without messages");
  last.header.set(ID_HEADER, id);
  if (count > 1) last.header.set("Nats-Batch-Commit", "1");
  for (const { subject, value, header } of messages) connection.publish(subject, value, { headers: header });
  try {
    return readAck(await connection.request(last.subject, last.value, { headers: last.header, timeout: timeoutMs }));
  } catch (error) {
    return { kind: isSilence(error) || isLostConnection(error) ? "unknown" : "failed", error };
  }
}

/** Whether the connection ended while the request was under way; the server may have received it. */
function isLostConnection(error: unknown): boolean {
  const names = ["ClosedConnectionError", "DrainingConnectionError"];
  return error instanceof Error && (names.includes(error.name) || isLostConnection(error.cause));
}

function readAck(reply: Msg): PublishOutcome {
  const { seq, error } = reply.json<{ seq?: number; error?: { err_code?: number; description?: string } }>();
  if (error?.err_code !== undefined && TRY_AGAIN.includes(error.err_code)) return { kind: "conflict" };
  if (error === undefined && seq !== undefined) return { kind: "written", sequence: seq };
  const what = `${error?.description ?? "no sequence"} (${error?.err_code ?? "no code"})`;
  return { kind: "failed", error: new Error(what) };
}

function headersOf({ purge, ttlMs, expected, guard }: BucketWrite): MsgHdrs {
  const header = headers();
  if (purge !== undefined) {
    header.set("KV-Operation", "PURGE");
    header.set("Nats-Rollup", "sub");
  }
  const livesMs = purge?.markerTtlMs ?? ttlMs;
  if (livesMs !== undefined) header.set("Nats-TTL", `${Math.ceil(livesMs / 1_000)}s`);
  if (expected !== undefined) header.set("Nats-Expected-Last-Subject-Sequence", String(expected));
  if (guard !== undefined) {
    header.set("Nats-Expected-Last-Subject-Sequence", String(guard.sequence));
    header.set("Nats-Expected-Last-Subject-Sequence-Subject", guard.subject);
  }
  return header;
}
