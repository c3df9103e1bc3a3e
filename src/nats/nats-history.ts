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
    copies.push({ ...parseCopy(message.data), revision: { epoch, position: message.position } });
    message = await reader.next(subject, message.sequence + 1);
  }
  return copies.toReversed();
}
