import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import type { Clock } from "../runtime/clock.ts";
import { unreachable } from "../store/errors.ts";
import type { BucketMessage } from "./batch-assembler.ts";
import { bucketMessage } from "./bucket-message.ts";
import type { Subjects } from "./subjects.ts";

const PATIENCE_MS = 2_000;

export interface TailQuery {
  readonly manager: JetStreamManager;
  readonly subjects: Subjects;
  readonly from: number;
  readonly clock: Clock;
}

/**
 * What a mirror has not heard from a sequence on, up to the end of the log.
 *
 * Without a consumer: to make one takes the leader of the cluster, whose election lasts up to nine seconds, and meanwhile the
 * stream may well be written. From the leader of the stream, since what another server has may be old; one by one, so not
 * for more than some thousand messages, to which copies and records of the journal count as well.
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

/** What is overwritten while it is read comes again further on, so that at the end all is there. */
async function readToEnd({ manager, subjects, from }: TailQuery, signal: AbortSignal): Promise<readonly StoredMsg[]> {
  const messages: StoredMsg[] = [];
  for (let seq = from; !signal.aborted; ) {
    // The client's type lacks the second, which the server knows.
    const query = { seq, next_by_subj: subjects.all };
    const message = await manager.streams.getMessage(subjects.stream, query);
    if (message === null) break;
    messages.push(message);
    seq = message.seq + 1;
  }
  return messages;
}
