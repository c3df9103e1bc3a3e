import { unreachable } from "../store/errors.ts";
import type { HeldChange, HeldState } from "../store/held-state.ts";
import { type AssembledChange, BatchAssembler, type BegunEpoch } from "./batch-assembler.ts";
import type { BucketSession } from "./bucket-session.ts";
import { type Feed, type FeedOptions, openFeed } from "./feed.ts";

const SCAN_TIMEOUT_MS = 30_000;

export interface BucketScan {
  /** Everything up to this position was read. */
  readonly position: number;
  readonly changes: ReadonlyMap<string, AssembledChange>;
  /** The newest epoch that began up to there. */
  readonly epoch: BegunEpoch | undefined;
}

/** Reads the whole present state of the bucket, independently of any mirror. */
export async function scanBucket(
  options: Pick<FeedOptions, "connection" | "manager" | "containment" | "subjects"> & Pick<BucketSession, "clock">,
): Promise<BucketScan> {
  const { promise, resolve, reject } = Promise.withResolvers<BucketScan>();
  // It may reject while the feed is being opened, before anything awaits it.
  promise.catch(() => undefined);
  const assembler = new BatchAssembler();
  const fail = () => reject(unreachable("the bucket could not be read in one go"));
  const cancel = options.clock.after(SCAN_TIMEOUT_MS, fail);
  let feed: Feed | undefined;
  try {
    feed = await openFeed({
      ...options,
      from: 1,
      onMessage: (message) => {
        const commit = assembler.take(message);
        if (commit !== undefined) {
          const { position, epoch } = commit;
          resolve({ position, epoch, changes: new Map(commit.changes.map((change) => [change.key, change])) });
        }
      },
      onBroken: fail,
    });
    return await promise;
  } finally {
    cancel();
    await feed?.stop();
  }
}

/** What was read and a mirror should hold but does not; a key that was not found counts as deleted. */
export function missedChanges(
  scan: BucketScan,
  held: HeldState,
  sequenceOf: (key: string) => number,
): (HeldChange & { readonly sequence: number })[] {
  const { position } = held.revision;
  const newer = [...scan.changes.values()].filter(({ key, sequence, value }) => {
    const known = held.entry(key)?.value;
    if (sequence > position || sequence < sequenceOf(key)) return false;
    // The same message with a different value: what was heard is not what was written.
    if (sequence === sequenceOf(key)) return !isEqual(value, known);
    return value !== undefined || known !== undefined;
  });
  const gone = held
    .read("")
    .filter(({ key }) => !scan.changes.has(key) && sequenceOf(key) <= scan.position)
    .map(({ key }) => ({ key, value: undefined, position, at: held.at, sequence: 0 }));
  return [...newer, ...gone];
}

function isEqual(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}
