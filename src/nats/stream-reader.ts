import type { NatsConnection } from "@nats-io/transport-node";
import { BATCH_HEADER, parseBatchMark } from "./batch-mark.ts";
import { storeFailure } from "./failure.ts";

const TIMEOUT_MS = 5_000;
const NO_MESSAGE_FOUND = 10_037;

export interface StoredMessage {
  readonly sequence: number;
  /** Position of the batch that it belongs to. */
  readonly position: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number;
  readonly data: Uint8Array;
}

/** Reads single messages from the stream's leader; a follower's answer may be old. */
export class StreamReader {
  readonly #connection: NatsConnection;
  readonly #subject: string;

  constructor(connection: NatsConnection, stream: string) {
    this.#connection = connection;
    this.#subject = `$JS.API.STREAM.MSG.GET.${stream}`;
  }

  async last(subject: string): Promise<StoredMessage | undefined> {
    return await this.#get({ last_by_subj: subject });
  }

  /** The first message at or after a sequence; the subject may have wildcards. */
  async next(subject: string, from: number): Promise<StoredMessage | undefined> {
    return await this.#get({ next_by_subj: subject, seq: from });
  }

  async #get(query: object): Promise<StoredMessage | undefined> {
    const reply = await this.#request(query);
    if (reply.error?.err_code === NO_MESSAGE_FOUND) return undefined;
    if (reply.message === undefined)
      throw storeFailure(new Error(reply.error?.description ?? "no message"), "cannot read");
    const { seq, time, data, hdrs } = reply.message;
    const mark = parseBatchMark(headerOf(hdrs, BATCH_HEADER));
    return {
      sequence: seq,
      position: seq + mark.count - mark.index,
      at: Math.floor(Date.parse(time)),
      data: Buffer.from(data ?? "", "base64"),
    };
  }

  async #request(query: object): Promise<GetReply> {
    try {
      const reply = await this.#connection.request(this.#subject, JSON.stringify(query), { timeout: TIMEOUT_MS });
      return reply.json<GetReply>();
    } catch (error) {
      throw storeFailure(error, "cannot read");
    }
  }
}

interface GetReply {
  readonly message?: { readonly seq: number; readonly time: string; readonly data?: string; readonly hdrs?: string };
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

function headerOf(encoded: string | undefined, name: string): string {
  const lines = Buffer.from(encoded ?? "", "base64")
    .toString("utf8")
    .split("\r\n");
  return (
    lines
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? ""
  );
}
