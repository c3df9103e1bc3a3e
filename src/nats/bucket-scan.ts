import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../runtime/clock.ts";
import { unreachable } from "../store/errors.ts";
import { type AssembledChange, BatchAssembler } from "./batch-assembler.ts";
import { openFeed } from "./feed.ts";
import type { Subjects } from "./subjects.ts";

const SCAN_TIMEOUT_MS = 30_000;

export interface BucketScan {
  /** Everything up to here was read. */
  readonly position: number;
  readonly changes: ReadonlyMap<string, AssembledChange>;
}

/** Reads the whole present state of the bucket, apart from any mirror. */
export async function scanBucket(options: {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly subjects: Subjects;
  readonly inboxPrefix: string;
  readonly clock: Clock;
}): Promise<BucketScan> {
  const { promise, resolve, reject } = Promise.withResolvers<BucketScan>();
  const assembler = new BatchAssembler();
  const fail = () => reject(unreachable("the bucket could not be read in one go"));
  const cancel = options.clock.after(SCAN_TIMEOUT_MS, fail);
  const feed = await openFeed({
    ...options,
    from: 1,
    onMessage: (message) => {
      const commit = assembler.take(message);
      if (commit !== undefined) {
        resolve({ position: commit.position, changes: new Map(commit.changes.map((change) => [change.key, change])) });
      }
    },
    onBroken: fail,
  });
  try {
    return await promise;
  } finally {
    cancel();
    await feed.stop();
  }
}
