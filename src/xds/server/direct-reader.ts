import type { ServerHttp2Stream } from "node:http2";
import type { ByteBound } from "./limit-met.ts";
import { MessageReader } from "./message-reader.ts";
import type { Pending, ReceiveTurns } from "./receive-turns.ts";

/** What a call tells whoever serves it. How it ends is told by the call itself. */
export interface MessageListener {
  /** One whole request. Its bytes may be part of a larger buffer: copy what is to be kept. */
  received(message: Buffer): void;
  /** How many bytes are kept of a request that has not arrived whole; 0 when none is. */
  held(bytes: number): void;
  /** What comes is no message, or too large a one, with a `MessageError` or `LimitMet`; nothing more is read. */
  unreadable(why: unknown): void;
  /** The transport takes more responses. */
  drained(): void;
}

/** Takes the place of grpc-js as the one who listens for data. The call flows on, empty, to tell its end. */
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
    this.#reader = new MessageReader({
      bound,
      onMessage: (message) => listener.received(message),
      onHeld: (bytes) => listener.held(bytes),
    });
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
