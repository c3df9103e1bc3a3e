import { JetStreamError, type JetStreamManager, type StoredMsg } from "@nats-io/jetstream";
import { storeFailure } from "./failure.ts";

/** Messages per request to the server. */
const PAGE = 200;
const NO_MESSAGE = 404;

/** The messages of a subject, which may have wildcards, from a sequence on, in order, in pages. */
export async function* readPages(
  manager: JetStreamManager,
  { stream, subject, from }: { readonly stream: string; readonly subject: string; readonly from: number },
): AsyncGenerator<readonly StoredMsg[]> {
  for (let seq = from; ; ) {
    const messages: StoredMsg[] = [];
    try {
      const page = await manager.direct.getBatch(stream, { seq, batch: PAGE, next_by_subj: subject });
      for await (const message of page) messages.push(message);
    } catch (error) {
      if (error instanceof JetStreamError && "code" in error && error.code === NO_MESSAGE) return;
      throw storeFailure(error, `cannot read ${stream}`);
    }
    yield messages;
    const last = messages.at(-1);
    if (last === undefined || messages.length < PAGE) return;
    seq = last.seq + 1;
  }
}
