import type { Revision } from "../store/revision.ts";
import type { HistoryCopy } from "../store/state-store.ts";
import { parseCopy, type StoredCopy } from "./batch-writes.ts";
import type { MirroredEpoch } from "./bucket-mirror.ts";
import type { StreamReader } from "./stream-reader.ts";

/** Newest first. */
export async function readHistory(
  reader: StreamReader,
  subject: string,
  epoch: MirroredEpoch,
): Promise<readonly HistoryCopy[]> {
  const copies: HistoryCopy[] = [];
  let message = await reader.next(subject, 1);
  while (message !== undefined) {
    const copy = parseCopy(message.data);
    // A copy that cannot be read counts as not kept.
    if (copy !== undefined) {
      const revision = writtenAt(copy, message.position, epoch);
      copies.push({ generation: copy.generation, value: copy.value, revision });
    }
    message = await reader.next(subject, message.sequence + 1);
  }
  return copies.toSorted((a, b) => b.revision.epoch - a.revision.epoch || b.revision.position - a.revision.position);
}

/** The revision of the write that a copy holds. Staged copies count as written by the batch that began the epoch. */
export function writtenAt({ origin }: StoredCopy, position: number, { epoch, began }: MirroredEpoch): Revision {
  return origin ?? { epoch, position: Math.max(position, began) };
}
