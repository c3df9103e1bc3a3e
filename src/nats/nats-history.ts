import type { JetStreamManager } from "@nats-io/jetstream";
import type { Revision } from "../store/revision.ts";
import type { HistoryCopy } from "../store/state-store.ts";
import { positionOf } from "./batch-mark.ts";
import { parseCopy, type StoredCopy } from "./batch-writes.ts";
import type { MirroredEpoch } from "./mirrored-log.ts";
import { nextMessage } from "./stream-message.ts";

/** Newest first. */
export async function readHistory(
  manager: JetStreamManager,
  key: string,
  epoch: MirroredEpoch,
): Promise<readonly HistoryCopy[]> {
  const { stream, history } = epoch.subjects;
  const copies: HistoryCopy[] = [];
  for (let from = 1; ; ) {
    const message = await nextMessage(manager, { stream, subject: history(key, "*"), from });
    if (message === undefined) break;
    from = message.seq + 1;
    const copy = parseCopy(message.data);
    // A copy that cannot be read counts as not kept.
    if (copy === undefined) continue;
    const { generation, value } = copy;
    copies.push({ generation, value, revision: writtenAt(copy, positionOf(message), epoch) });
  }
  return copies.toSorted((a, b) => b.revision.epoch - a.revision.epoch || b.revision.position - a.revision.position);
}

/** The revision of the write that a copy holds. Staged copies count as written by the batch that began the epoch. */
export function writtenAt({ origin }: StoredCopy, position: number, { epoch, began }: MirroredEpoch): Revision {
  return origin ?? { epoch, position: Math.max(position, began) };
}
