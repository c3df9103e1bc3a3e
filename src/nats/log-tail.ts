import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import type { Clock } from "../runtime/clock.ts";
import { unreachable } from "../store/errors.ts";
import type { BucketMessage } from "./batch-assembler.ts";
import { bucketMessage } from "./bucket-message.ts";
import { readPages } from "./bucket-pages.ts";
import type { Subjects } from "./subjects.ts";

/** Messages of the bucket that are read at most: copies and records of the journal count as well. */
const MOST_MESSAGES = 5_000;
const PATIENCE_MS = 1_000;

export interface TailQuery {
  readonly manager: JetStreamManager;
  readonly subjects: Subjects;
  readonly from: number;
  readonly clock: Clock;
}

/**
 * What a mirror has not heard from a sequence on, as far as the server that answers has it; empty when it has nothing new, or
 * more than 5,000 messages of the bucket.
 *
 * Without a consumer: to make one takes the leader of the cluster, whose election lasts up to nine seconds, and meanwhile
 * the stream may well be written. In one request, so that no batch is cut and all is of one moment.
 *
 * @throws ControlPlaneError `unavailable` when no answer comes within a second.
 */
export async function readTail(options: TailQuery): Promise<readonly BucketMessage[]> {
  const { clock, subjects } = options;
  const late = clock.sleep(PATIENCE_MS).then(() => {
    throw unreachable("the log was not read in time");
  });
  const messages = await Promise.race([readOnce(options), late]);
  if ((messages.at(-1)?.pending ?? 0) > 0) return [];
  const mirrored = messages.filter(({ subject }) => subjects.isMirrored(subject));
  return mirrored.map((message, i) =>
    bucketMessage({ subject: message.subject, headers: message.header, data: message.data }, subjects, {
      sequence: message.seq,
      at: message.time.getTime(),
      pending: mirrored.length - 1 - i,
    }),
  );
}

async function readOnce({ manager, subjects, from }: TailQuery): Promise<readonly StoredMsg[]> {
  const query = { stream: subjects.stream, subject: subjects.all, from, size: MOST_MESSAGES };
  for await (const page of readPages(manager, query)) return page;
  return [];
}
