import { status } from "@grpc/grpc-js";
import { type ByteBound, checkBytes } from "./limit-met.ts";

const PREFIX_BYTES = 5;
const SMALLEST_PART_BYTES = 1024;
const NOTHING = Buffer.alloc(0);

/** Why no more of a call's messages are taken, with the status that the call ends with. */
export class MessageError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

/** Who is told of the messages of one stream. */
export interface MessageReceiver {
  /** Called with one whole message. Its bytes may be part of a larger buffer: copy what you keep. */
  received(message: Buffer): void;
  /** Called with how many bytes are kept of a message that has not arrived whole; 0 when there is none. */
  held(bytes: number): void;
}

/**
 * Cuts the bytes of one gRPC stream into messages, without their length prefix. A message that arrives in one piece is
 * handed over where it lies in the chunk, so a receiver that keeps a part of it must copy that part.
 *
 * What has not arrived whole is copied out of its chunks, which may be small parts of what was read off the socket, and
 * takes at most twice the space of what has arrived, whatever length was announced.
 */
export class MessageReader {
  readonly #bound: ByteBound;
  readonly #receiver: MessageReceiver;
  #part = NOTHING;
  #partBytes = 0;
  #stopped = false;

  /** @param bound The bound on one message. */
  constructor(bound: ByteBound, receiver: MessageReceiver) {
    this.#bound = bound;
    this.#receiver = receiver;
  }

  /**
   * Reads on from `at` up to the end of the first message, which it hands over. Returns where it stopped.
   *
   * @throws MessageError when a message is compressed
   * @throws LimitMet when a message is too large
   */
  read(chunk: Buffer, at = 0): number {
    if (this.#stopped) return chunk.length;
    if (this.#partBytes > 0) return this.#complete(chunk, at);
    const end = this.#endOf(chunk, at, chunk.length);
    if (end <= chunk.length) {
      this.#receiver.received(chunk.subarray(at + PREFIX_BYTES, end));
      return end;
    }
    this.#keep(chunk, at, chunk.length, end - at);
    return chunk.length;
  }

  /** Drops what is kept; everything that still comes is ignored. */
  stop(): void {
    this.#stopped = true;
    this.#forget();
  }

  /** Adds to the part what its message, or first its prefix, still lacks, and hands over a message that has become whole. */
  #complete(chunk: Buffer, at: number): number {
    const wanted = this.#endOf(this.#part, 0, this.#partBytes);
    const until = Math.min(chunk.length, at + wanted - this.#partBytes);
    this.#keep(chunk, at, until, wanted);
    if (this.#stopped || this.#partBytes < wanted || this.#endOf(this.#part, 0, this.#partBytes) > this.#partBytes) {
      return until;
    }
    const message = this.#part.subarray(PREFIX_BYTES, this.#partBytes);
    this.#forget();
    this.#receiver.received(message);
    return until;
  }

  #keep(chunk: Buffer, from: number, to: number, wanted: number): void {
    const bytes = this.#partBytes + to - from;
    if (bytes > this.#part.length) {
      const part = Buffer.allocUnsafeSlow(Math.min(wanted, Math.max(SMALLEST_PART_BYTES, 2 * bytes)));
      this.#part.copy(part, 0, 0, this.#partBytes);
      this.#part = part;
    }
    chunk.copy(this.#part, this.#partBytes, from, to);
    this.#partBytes = bytes;
    this.#receiver.held(this.#part.length);
  }

  #forget(): void {
    if (this.#partBytes === 0) return;
    this.#part = NOTHING;
    this.#partBytes = 0;
    this.#receiver.held(0);
  }

  /** Where the message at `at` ends, perhaps beyond these bytes; where its prefix ends while that is not whole. */
  #endOf(bytes: Buffer, at: number, length: number): number {
    if (length - at < PREFIX_BYTES) return at + PREFIX_BYTES;
    if (bytes[at] !== 0)
      throw new MessageError(status.INTERNAL, "a message is compressed, but the call announced no compression");
    const size = bytes.readUInt32BE(at + 1);
    checkBytes(this.#bound, "the request", size);
    return at + PREFIX_BYTES + size;
  }
}
