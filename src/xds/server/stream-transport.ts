import { constants, type ServerHttp2Stream } from "node:http2";
import { Metadata, type ServerDuplexStream } from "@grpc/grpc-js";
import type { Clock } from "../../runtime/clock.ts";
import { Deadlines, type Expiring } from "./deadlines.ts";
import { DirectReader, type MessageListener } from "./direct-reader.ts";
import { messageOf, type ResponseFrame } from "./encode-response.ts";
import type { ByteBound } from "./limit-met.ts";
import { ReceiveTurns } from "./receive-turns.ts";
import { WriteWindow } from "./write-window.ts";

export type DiscoveryCall = ServerDuplexStream<Buffer, Buffer>;

/** How one call's responses reach its socket. */
export interface ResponseTransport {
  /**
   * Queues one response. Returning false asks the caller to write nothing more before `drained`. `written` is called when
   * the socket has taken it, or never will; it is not called if the call had already ended.
   */
  write(frame: ResponseFrame, written?: () => void): boolean;
  /** Ignores whatever else is received. The code that serves the call ends the call itself. */
  stop(): void;
  /** Drops what the client has not read, if anything, even though it then does not learn how the call ended. */
  reset(): void;
}

/** Begins to read a call, and returns the transport for its responses. */
export type TransportOf = (
  call: DiscoveryCall,
  requestBound: ByteBound,
  listener: MessageListener,
) => ResponseTransport;

/** Uses the public interface of grpc-js, which copies each message once per call. */
export const publicTransport: TransportOf = (call, _, listener) => {
  call.on("data", (message: Buffer) => listener.received(message));
  call.on("drain", () => listener.drained());
  return {
    write: (frame, written) => call.write(messageOf(frame), written),
    stop: () => call.removeAllListeners("data").resume(),
    reset: () => undefined,
  };
};

/**
 * Reads from and writes to the call's HTTP/2 stream: all calls share the memory of what they write, and a request
 * costs no queue and no promise. grpc-js still begins and ends the call. This relies on private fields, which
 * `tryDirectTransport` tries; a call whose fields are not as expected gets the public transport.
 */
export function directTransport(clock: Clock): TransportOf {
  const window = new WriteWindow(clock);
  const turns = new ReceiveTurns(clock);
  const lingering = new Deadlines<Expiring>({ clock, ms: LINGER_MS, onExpired: () => undefined });
  return (call, requestBound, listener) => {
    const inner = innermostCall(call);
    const stream = field(inner, "stream");
    if (!isUnread(inner) || !isHttp2Stream(stream)) return publicTransport(call, requestBound, listener);
    const reader = new DirectReader(stream, turns, requestBound, listener);
    call.resume();
    const parts = { call, stream, reader, listener, lingering };
    return stream.session?.encrypted ? new SlicedTransport(parts, window) : new DirectTransport(parts);
  };
}

/**
 * A client that does not end its side of a call keeps its stream for as long as the connection lives. After this long it has
 * read the status, which an earlier reset would overtake.
 */
const LINGER_MS = 5000;

type Parts = {
  readonly call: DiscoveryCall;
  readonly stream: ServerHttp2Stream;
  readonly reader: DirectReader;
  readonly listener: MessageListener;
  readonly lingering: Deadlines<Expiring>;
};

class DirectTransport implements ResponseTransport, Expiring {
  readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
    parts.stream.on("drain", () => parts.listener.drained());
  }

  write(frame: ResponseFrame, written?: () => void): boolean {
    const { call, stream } = this.parts;
    return !openForWriting(call, stream) || writeFrame(stream, frame, written);
  }

  stop(): void {
    const { stream, reader, lingering } = this.parts;
    reader.stop();
    if (stream.closed) return;
    lingering.begin(this);
    stream.on("close", () => lingering.end(this));
  }

  reset(): void {
    const { stream } = this.parts;
    if (stream.writableLength > 0) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  expire(): void {
    this.parts.stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

/** An object that stands for a call's connection: the same for all calls of one connection. */
export function connectionOf(call: DiscoveryCall): object {
  const session = field(field(innermostCall(call), "stream"), "session");
  return typeof session === "object" && session !== null ? session : call;
}

function writeFrame(stream: ServerHttp2Stream, { shared, own }: ResponseFrame, written?: () => void): boolean {
  if (own === undefined) return stream.write(shared, written);
  stream.cork();
  stream.write(shared);
  const takesMore = stream.write(own, written);
  stream.uncork();
  return takesMore;
}

/**
 * Under TLS, Node keeps memory of the size of the largest single write for as long as the connection lives. With what
 * HTTP/2 and TLS add, a slice is still one segment for the kernel, which takes 64 KB with all headers: a second one for
 * the last few bytes costs more than encrypting them all.
 */
const TLS_SLICE_BYTES = 63 * 1024;

class SlicedTransport extends DirectTransport {
  readonly #window: WriteWindow;
  readonly #slices: Buffer[] = [];
  readonly #written: (() => void)[] = [];
  readonly #begin = () => this.#writeNext();
  #writing = false;

  constructor(parts: Parts, window: WriteWindow) {
    super(parts);
    this.#window = window;
    parts.stream.on("close", () => window.leave(this.#begin));
  }

  override write(frame: ResponseFrame, written?: () => void): boolean {
    const { call, stream } = this.parts;
    if (!openForWriting(call, stream)) return true;
    const { shared, own } = frame;
    if (!this.#writing && shared.length <= TLS_SLICE_BYTES) return writeFrame(stream, frame, written);
    for (let at = 0; at < shared.length; at += TLS_SLICE_BYTES) {
      this.#slices.push(shared.subarray(at, at + TLS_SLICE_BYTES));
    }
    if (own !== undefined) this.#slices.push(own);
    if (written) this.#written.push(written);
    if (!this.#writing) {
      this.#writing = true;
      this.#window.enter(this.#begin);
    }
    return false;
  }

  #writeNext(): void {
    const slice = this.#slices.shift();
    if (slice) {
      this.parts.stream.write(slice, (error) => (error ? undefined : this.#writeNext()));
      return;
    }
    this.#writing = false;
    this.#window.leave(this.#begin);
    for (const written of this.#written.splice(0)) written();
    this.parts.listener.drained();
  }
}

/** Sends the headers before the first message. Returns false when the call has ended, which the call itself reports. */
function openForWriting(call: DiscoveryCall, stream: ServerHttp2Stream): boolean {
  if (stream.destroyed || stream.closed || stream.writableEnded) return false;
  if (!stream.headersSent) call.sendMetadata(new Metadata());
  return stream.headersSent;
}

function innermostCall(call: DiscoveryCall): unknown {
  let inner: unknown = field(call, "call");
  for (let depth = 0; depth < MAX_INTERCEPTORS && field(inner, "nextCall") !== undefined; depth++) {
    inner = field(inner, "nextCall");
  }
  return inner;
}

/** Whether no request has been read yet, and requests need no decompression. */
function isUnread(inner: unknown): boolean {
  return field(inner, "isReadPending") === false && field(inner, "incomingEncoding") === "identity";
}

function isHttp2Stream(stream: unknown): stream is ServerHttp2Stream {
  const methods = ["write", "cork", "uncork", "on", "removeAllListeners", "pause", "resume", "isPaused"];
  return methods.every((name) => typeof field(stream, name) === "function");
}

const MAX_INTERCEPTORS = 16;

function field(holder: unknown, name: string): unknown {
  return typeof holder === "object" && holder !== null ? (holder as Record<string, unknown>)[name] : undefined;
}
