import type { HistoryCopy } from "../store/state-store.ts";
import { parseCopy } from "./batch-writes.ts";
import type { StreamReader } from "./stream-reader.ts";

/** Newest first. */
export async function readHistory(
  reader: StreamReader,
  subject: string,
  epoch: number,
): Promise<readonly HistoryCopy[]> {
  const copies: HistoryCopy[] = [];
  let message = await reader.next(subject, 1);
  while (message !== undefined) {
    const { generation, value, origin } = parseCopy(message.data);
    copies.push({ generation, value, revision: origin ?? { epoch, position: message.position } });
    message = await reader.next(subject, message.sequence + 1);
  }
  return copies.toSorted((a, b) => b.revision.epoch - a.revision.epoch || b.revision.position - a.revision.position);
}
