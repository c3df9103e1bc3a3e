import type { StoredMsg } from "@nats-io/jetstream";
import { unreachable } from "../store/errors.ts";
import type { BucketMessage } from "./batch-assembler.ts";
import { bucketMessage } from "./bucket-message.ts";
import type { BucketSession } from "./bucket-session.ts";
import { nextMessage } from "./stream-message.ts";
import type { Subjects } from "./subjects.ts";

const PATIENCE_MS = 2_000;

export interface TailQuery extends Pick<BucketSession, "manager" | "clock"> {
  readonly subjects: Subjects;
  readonly from: number;
}

/**
 * Reads what a mirror has not heard, from a sequence up to the end of the log.
 *
 * Uses no consumer: creating one takes the cluster's leader, whose election lasts up to nine seconds, and meanwhile the
 * stream may well be writable. Reads from the stream's leader, since another server's data may be old, and one message at a
 * time, so at most some thousand messages, including history copies and journal entries.
 *
 * @throws ControlPlaneError `unavailable` when the end is not reached within two seconds, or what the client throws.
 */
export async function readTail(options: TailQuery): Promise<readonly BucketMessage[]> {
  const { clock, subjects } = options;
  const enough = new AbortController();
  const late = clock.sleep(PATIENCE_MS).then(() => {
    enough.abort();
    throw unreachable("the end of the log was not reached in time");
  });
  const messages = await Promise.race([readToEnd(options, enough.signal), late]);
  const mirrored = messages.filter(({ subject }) => subjects.isMirrored(subject));
  return mirrored.map((message, i) =>
    bucketMessage({ subject: message.subject, headers: message.header, data: message.data }, subjects, {
      sequence: message.seq,
      at: message.time.getTime(),
      pending: mirrored.length - 1 - i,
    }),
  );
}

/** A message that is overwritten meanwhile comes again further on, so at the end nothing is missing. */
async function readToEnd({ manager, subjects, from }: TailQuery, signal: AbortSignal): Promise<readonly StoredMsg[]> {
  const messages: StoredMsg[] = [];
  while (!signal.aborted) {
    const next = { stream: subjects.stream, subject: subjects.all, from: (messages.at(-1)?.seq ?? from - 1) + 1 };
    const message = await nextMessage(manager, next);
    if (message === undefined) break;
    messages.push(message);
  }
  return messages;
}
