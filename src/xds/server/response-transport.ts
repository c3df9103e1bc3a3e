import type { ServerHttp2Stream } from "node:http2";
import { Metadata, type ServerDuplexStream } from "@grpc/grpc-js";
import { messageOf, type ResponseFrame } from "./encode-response.ts";

export type DiscoveryCall = ServerDuplexStream<Buffer, Buffer>;

/** The way of one call's responses to its socket. */
export interface ResponseTransport {
  /** Queues one response. False asks the caller to write nothing more before `onDrain`. */
  write(frame: ResponseFrame): boolean;
}

/** Makes the transport of a call; `onDrain` is called when it takes more. */
export type TransportOf = (call: DiscoveryCall, onDrain: () => void) => ResponseTransport;

/** Through the public interface of grpc-js, which copies each message once per call. */
export const publicTransport: TransportOf = (call, onDrain) => {
  call.on("drain", onDrain);
  return { write: (frame) => call.write(messageOf(frame)) };
};

/**
 * Writes framed messages straight to the call's HTTP/2 stream, so that all calls share their memory; everything else
 * of the call stays with grpc-js. It reads private fields: `tryDirectWrites` tells whether they are as expected. A
 * call where they are not is served by the public way.
 */
export const directTransport: TransportOf = (call, onDrain) => {
  const stream = innerStream(call);
  if (!stream) return publicTransport(call, onDrain);
  stream.on("drain", onDrain);
  if (stream.session?.encrypted) return new SlicedTransport(call, stream, onDrain);
  return {
    write: ({ shared, own }) => {
      if (!openForWriting(call, stream)) return true;
      stream.cork();
      stream.write(shared);
      const takesMore = stream.write(own);
      stream.uncork();
      return takesMore;
    },
  };
};

/** Under TLS, Node keeps memory of the size of the largest single write for as long as the connection lives. */
const TLS_SLICE_BYTES = 64 * 1024;

class SlicedTransport implements ResponseTransport {
  readonly #call: DiscoveryCall;
  readonly #stream: ServerHttp2Stream;
  readonly #onDrain: () => void;
  readonly #slices: Buffer[] = [];
  #writing = false;

  constructor(call: DiscoveryCall, stream: ServerHttp2Stream, onDrain: () => void) {
    this.#call = call;
    this.#stream = stream;
    this.#onDrain = onDrain;
  }

  write({ shared, own }: ResponseFrame): boolean {
    if (!openForWriting(this.#call, this.#stream)) return true;
    if (!this.#writing && shared.length <= TLS_SLICE_BYTES) {
      this.#stream.cork();
      this.#stream.write(shared);
      const takesMore = this.#stream.write(own);
      this.#stream.uncork();
      return takesMore;
    }
    for (let at = 0; at < shared.length; at += TLS_SLICE_BYTES) {
      this.#slices.push(shared.subarray(at, at + TLS_SLICE_BYTES));
    }
    this.#slices.push(own);
    if (!this.#writing) this.#writeNext();
    return false;
  }

  #writeNext(): void {
    const slice = this.#slices.shift();
    this.#writing = slice !== undefined;
    if (slice) this.#stream.write(slice, (error) => (error ? undefined : this.#writeNext()));
    else this.#onDrain();
  }
}

/** Sends the headers before the first message. False when the call has ended, which it tells by itself. */
function openForWriting(call: DiscoveryCall, stream: ServerHttp2Stream): boolean {
  if (stream.destroyed || stream.closed || stream.writableEnded) return false;
  if (!stream.headersSent) call.sendMetadata(new Metadata());
  return stream.headersSent;
}

function innerStream(call: DiscoveryCall): ServerHttp2Stream | undefined {
  let inner: unknown = field(call, "call");
  for (let depth = 0; depth < MAX_INTERCEPTORS && field(inner, "nextCall") !== undefined; depth++) {
    inner = field(inner, "nextCall");
  }
  const stream = field(inner, "stream");
  const complete = ["write", "cork", "uncork", "on"].every((name) => typeof field(stream, name) === "function");
  return complete ? (stream as ServerHttp2Stream) : undefined;
}

const MAX_INTERCEPTORS = 16;

function field(holder: unknown, name: string): unknown {
  return typeof holder === "object" && holder !== null ? (holder as Record<string, unknown>)[name] : undefined;
}
