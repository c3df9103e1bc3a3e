import type { ServerHttp2Stream } from "node:http2";
import type { ByteBound } from "./limit-met.ts";
import { MessageReader, type MessageReceiver } from "./message-reader.ts";
import type { Pending, ReceiveTurns } from "./receive-turns.ts";

/** What a call's reader tells the code that serves the call. The call itself tells how it ends. */
export interface MessageListener extends MessageReceiver {
  /** Called with a `MessageError` if what comes is not a message, or a `LimitMet` if it is too large; reading has stopped. */
  unreadable(why: unknown): void;
  /** The transport takes more responses. */
  drained(): void;
}

/** Listens for data in place of grpc-js. The call itself goes on without data, to tell when it ends. */
export class DirectReader implements Pending {
  readonly #stream: ServerHttp2Stream;
  readonly #turns: ReceiveTurns;
  readonly #reader: MessageReader;
  readonly #listener: MessageListener;
  readonly #chunks: Buffer[] = [];
  #at = 0;

  constructor(stream: ServerHttp2Stream, turns: ReceiveTurns, bound: ByteBound, listener: MessageListener) {
    this.#stream = stream;
    this.#turns = turns;
    this.#listener = listener;
    this.#reader = new MessageReader(bound, listener);
    stream.removeAllListeners("data");
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
  }

  readNext(): boolean {
    const [chunk] = this.#chunks;
    if (chunk === undefined) return false;
    try {
      this.#at = this.#reader.read(chunk, this.#at);
    } catch (thrown) {
      this.stop();
      this.#listener.unreadable(thrown);
    }
    if (this.#at < chunk.length && this.#chunks.length > 0) return true;
    this.#chunks.shift();
    this.#at = 0;
    if (this.#chunks.length > 0) return true;
    this.#stream.resume();
    return false;
  }

  stop(): void {
    this.#reader.stop();
    this.#chunks.length = 0;
    this.#stream.resume();
  }

  #take(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#turns.add(this);
    if (this.#chunks.length > 0) this.#stream.pause();
  }
}
