import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import { storeFailure } from "./failure.ts";

/** Reads the newest message of a subject from the stream's leader; a follower's may be old. */
export async function lastMessage(
  manager: JetStreamManager,
  { stream, subject }: { readonly stream: string; readonly subject: string },
): Promise<StoredMsg | undefined> {
  return await read(manager, stream, { last_by_subj: subject });
}

/** Reads the first message at or after a sequence, from the leader too; the subject may have wildcards. */
export async function nextMessage(
  manager: JetStreamManager,
  { stream, subject, from }: { readonly stream: string; readonly subject: string; readonly from: number },
): Promise<StoredMsg | undefined> {
  // The client's type lacks `next_by_subj` beside `seq`, which the server supports.
  const query = { seq: from, next_by_subj: subject };
  return await read(manager, stream, query);
}

async function read(
  manager: JetStreamManager,
  stream: string,
  query: Parameters<JetStreamManager["streams"]["getMessage"]>[1],
): Promise<StoredMsg | undefined> {
  try {
    return (await manager.streams.getMessage(stream, query)) ?? undefined;
  } catch (error) {
    throw storeFailure(error, `cannot read stream ${stream}`);
  }
}
