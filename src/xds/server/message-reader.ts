import { status } from "@grpc/grpc-js";

const PREFIX_BYTES = 5;
const NONE: Buffer[] = [];

/** Why a stream of messages cannot be read any further. */
export class MessageError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Cuts the bytes of one gRPC stream into messages, without their length prefix. A message that arrives in one piece is
 * handed over as it lies in the chunk, so whoever keeps a part of it copies that.
 */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #onMessage: (message: Buffer) => void;
  #parts: Buffer[] = NONE;
  #partBytes = 0;
  /** How many bytes the parts have to hold before it is worth looking at them again. */
  #wanted = 0;

  constructor(maxBytes: number, onMessage: (message: Buffer) => void) {
    this.#maxBytes = maxBytes;
    this.#onMessage = onMessage;
  }

  /** @throws MessageError when a message is compressed or too large */
  read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#partBytes > 0) {
      this.#parts.push(chunk);
      this.#partBytes += chunk.length;
      if (this.#partBytes < this.#wanted) return;
      bytes = Buffer.concat(this.#parts, this.#partBytes);
    }
    let at = 0;
    let end = this.#endOf(bytes, at);
    while (end <= bytes.length) {
      this.#onMessage(bytes.subarray(at + PREFIX_BYTES, end));
      at = end;
      end = this.#endOf(bytes, at);
    }
    this.#partBytes = bytes.length - at;
    this.#parts = this.#partBytes > 0 ? [bytes.subarray(at)] : NONE;
    this.#wanted = end - at;
  }

  /** Where the message at `at` ends, perhaps behind these bytes; where its prefix ends as long as that is not whole. */
  #endOf(bytes: Buffer, at: number): number {
    if (bytes.length - at < PREFIX_BYTES) return at + PREFIX_BYTES;
    if (bytes[at] !== 0) throw new MessageError(status.INTERNAL, "a compressed message on a call without compression");
    const size = bytes.readUInt32BE(at + 1);
    if (size > this.#maxBytes) {
      throw new MessageError(status.RESOURCE_EXHAUSTED, `a message of ${size} bytes is larger than ${this.#maxBytes}`);
    }
    return at + PREFIX_BYTES + size;
  }
}
