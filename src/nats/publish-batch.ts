import { headers, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import { BATCH_HEADER, formatBatchMark, ID_HEADER } from "./batch-mark.ts";
import { isSilence } from "./failure.ts";

/** The server's bound on one batch. */
const MAX_MESSAGES = 1_000;
const FIRST_TIMEOUT_MS = 3_000;
const COMMIT_TIMEOUT_MS = 5_000;

const WRONG_LAST_SEQUENCE = 10_071;
const WRITE_IN_FLIGHT = 10_164;

export interface BucketWrite {
  readonly subject: string;
  readonly value: Uint8Array;
  /** Purges the subject: leaves a marker that lives this long. */
  readonly purge?: { readonly markerTtlMs: number };
  readonly ttlMs?: number;
  /** Sequence that the newest message of this subject must have; 0: it must have none. */
  readonly expected?: number;
  /** The same of another subject. Not together with `expected`: the server takes only one of the two. */
  readonly guard?: { readonly subject: string; readonly sequence: number };
}

export interface PublishOptions {
  /** Of this batch, at most 64 characters. */
  readonly id: string;
  /** How many of the first no mirror listens to. */
  readonly hidden: number;
  readonly writes: readonly BucketWrite[];
  /** How long to wait for the last answer. */
  readonly timeoutMs?: number;
}

export type PublishOutcome =
  /** Sequence of the batch's last message. */
  | { readonly kind: "written"; readonly sequence: number }
  /** An expectation did not hold, or a write to the same subject was under way. Nothing was written. */
  | { readonly kind: "conflict" }
  /** Nothing was written. */
  | { readonly kind: "failed"; readonly error: unknown }
  /** It may have been written. */
  | { readonly kind: "unknown"; readonly error: unknown };

/**
 * Writes all or nothing: the messages of an atomic batch (ADR-50), the first and the last as requests, those between them
 * as plain publishes. A single message is a plain publish with an acknowledgement.
 */
export async function publishBatch(
  connection: NatsConnection,
  { id, hidden, writes, timeoutMs = COMMIT_TIMEOUT_MS }: PublishOptions,
): Promise<PublishOutcome> {
  const count = writes.length;
  if (count > MAX_MESSAGES) throw new Error(`a batch of ${count} messages`);
  for (const [i, write] of writes.entries()) {
    const index = i + 1;
    const isLast = index === count;
    const header = headersOf(write);
    header.set(BATCH_HEADER, formatBatchMark({ index, count, hidden }));
    if (isLast) header.set(ID_HEADER, id);
    if (count > 1) {
      header.set("Nats-Batch-Id", id);
      header.set("Nats-Batch-Sequence", String(index));
      if (isLast) header.set("Nats-Batch-Commit", "1");
    }
    const { subject, value } = write;
    if (isLast) return await commit(() => connection.request(subject, value, { headers: header, timeout: timeoutMs }));
    if (index > 1) {
      connection.publish(subject, value, { headers: header });
      continue;
    }
    try {
      const reply = await connection.request(subject, value, { headers: header, timeout: FIRST_TIMEOUT_MS });
      const refusal = reply.data.byteLength > 0 ? readAck(reply) : undefined;
      if (refusal !== undefined && refusal.kind !== "written") return refusal;
    } catch (error) {
      return { kind: "failed", error };
    }
  }
  throw new Error("a batch without messages");
}

async function commit(request: () => Promise<Msg>): Promise<PublishOutcome> {
  try {
    return readAck(await request());
  } catch (error) {
    return { kind: isSilence(error) || isLostConnection(error) ? "unknown" : "failed", error };
  }
}

/** A connection that ends while a request is under way rejects it; the server may have it. */
function isLostConnection(error: unknown): boolean {
  const names = ["ClosedConnectionError", "DrainingConnectionError"];
  return error instanceof Error && (names.includes(error.name) || isLostConnection(error.cause));
}

function readAck(reply: Msg): PublishOutcome {
  const { seq, error } = reply.json<{ seq?: number; error?: { err_code?: number; description?: string } }>();
  if (error?.err_code === WRONG_LAST_SEQUENCE || error?.err_code === WRITE_IN_FLIGHT) return { kind: "conflict" };
  if (error !== undefined || seq === undefined) {
    return {
      kind: "failed",
      error: new Error(`${error?.description ?? "no sequence"} (${error?.err_code ?? "no code"})`),
    };
  }
  return { kind: "written", sequence: seq };
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
