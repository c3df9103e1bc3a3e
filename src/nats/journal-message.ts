import { createHash } from "node:crypto";
import type { StoredMsg } from "@nats-io/jetstream";
import { type Cause, JOURNAL_WINDOW_MS, type JournalEntry } from "../store/journal.ts";
import { formatRevision, type Revision } from "../store/revision.ts";
import { positionOf } from "./batch-mark.ts";
import type { BucketWrite } from "./publish-batch.ts";
import type { Subjects } from "./subjects.ts";

/** An entry of the journal as the bucket holds it, in JSON. */
interface StoredEntry extends Omit<Cause, "result"> {
  readonly keys: readonly string[];
  readonly result?: string;
  /** Revision and time if they are not the message's: the entry was brought from elsewhere. */
  readonly origin?: Revision & { readonly at: number };
}

/**
 * The write that enters a batch in the journal. The server refuses a second one with the same request id.
 *
 * @param id Names the entry where there is no request id.
 */
export function enterWrite(
  cause: Cause,
  keys: readonly string[],
  { id, subjects }: { readonly id: string; readonly subjects: Subjects },
): BucketWrite {
  return { ...writeOf({ ...cause, keys }, id, subjects), ttlMs: JOURNAL_WINDOW_MS, expected: 0 };
}

/** The write of an entry that is brought from elsewhere; undefined when it has expired. */
export function restoreWrite(entry: JournalEntry, now: number, subjects: Subjects): BucketWrite | undefined {
  const { revision, at, ...said } = entry;
  const ttlMs = JOURNAL_WINDOW_MS - (now - at);
  if (ttlMs < 1_000) return undefined;
  return { ...writeOf({ ...said, origin: { ...revision, at } }, formatRevision(revision), subjects), ttlMs };
}

/**
 * The entries in those messages that were written up to a position; what no release writes is skipped.
 *
 * @param epoch That of the bucket: an entry that was not brought from elsewhere has no other.
 */
export function readEntries(
  page: readonly StoredMsg[],
  epoch: number,
  upTo: number = Number.POSITIVE_INFINITY,
): JournalEntry[] {
  return page.flatMap((message): JournalEntry[] => {
    const position = positionOf(message);
    const stored = position <= upTo ? parseEntry(message.data) : undefined;
    if (stored === undefined) return [];
    const { result, origin, ...said } = stored;
    return [
      {
        ...said,
        revision: { epoch: origin?.epoch ?? epoch, position: origin?.position ?? position },
        at: origin?.at ?? message.time.getTime(),
        ...(result !== undefined && { result: new Uint8Array(Buffer.from(result, "base64")) }),
      },
    ];
  });
}

/** Request ids are free text; a subject's token is not. */
export function requestToken(requestId: string): string {
  return createHash("sha256").update(requestId).digest("base64url");
}

function parseEntry(data: Uint8Array): StoredEntry | undefined {
  try {
    const { actor, operation, reason, requestId, keys, result, origin } = JSON.parse(new TextDecoder().decode(data));
    const isText = [actor, operation, reason, requestId].every((text) => typeof text === "string");
    if (!isText || !Array.isArray(keys) || !keys.every((key) => typeof key === "string")) return undefined;
    if (result !== undefined && typeof result !== "string") return undefined;
    const numbers = origin === undefined ? [] : [origin.epoch, origin.position, origin.at];
    if (!numbers.every(Number.isSafeInteger)) return undefined;
    return { actor, operation, reason, requestId, keys, ...(result && { result }), ...(origin && { origin }) };
  } catch {
    return undefined;
  }
}

function writeOf(
  { result, ...said }: Omit<StoredEntry, "result"> & Pick<Cause, "result">,
  id: string,
  subjects: Subjects,
): Pick<BucketWrite, "subject" | "value"> {
  const stored: StoredEntry = { ...said, ...(result && { result: Buffer.from(result).toString("base64") }) };
  return {
    subject: subjects.journal(requestToken(said.requestId === "" ? id : said.requestId)),
    value: new TextEncoder().encode(JSON.stringify(stored)),
  };
}
