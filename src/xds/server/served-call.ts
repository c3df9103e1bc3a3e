import { status } from "@grpc/grpc-js";
import type { Expiring } from "./deadlines.ts";
import type { MessageListener } from "./direct-reader.ts";
import type { ResponseFrame } from "./encode-response.ts";
import { UnreadableBytes } from "./field-reader.ts";
import type { HeldAccount } from "./held-bytes.ts";
import { type ByteBound, LimitMet } from "./limit-met.ts";
import { MessageError } from "./message-reader.ts";
import type { StreamHost } from "./stream-host.ts";
import { connectionOf, type DiscoveryCall, type ResponseTransport } from "./stream-transport.ts";

/** What an open call costs whatever it says: measured at 10 to 20 KB, most of it in HTTP/2 and gRPC. */
const CALL_BYTES = 16 * 1024;

/** The code that serves a call. Whatever `received` throws ends the call. */
export interface CallHandler {
  /** What the call is, as in "stream refused". */
  readonly noun: "stream" | "call";
  /** The call by name, as in "stream 1a2b of node edge-1". */
  readonly name: string;
  /** What a log entry about the call has. */
  logged(): { readonly streamId?: string; readonly nodeId?: string };
  /** Called with one whole request. Its bytes may be part of a larger buffer: copy what you keep. */
  received(message: Buffer): void;
  /** The socket takes more responses. */
  drained(): void;
  /** The client has ended its side. */
  ended(): void;
  /** The call is over, whoever ended it. Called once, perhaps while the call is still being created. */
  closed(): void;
}

/**
 * One call: reads its requests and writes its responses within the limits of the server, and ends it in good order. The
 * call's listeners keep it alive for as long as the call lives.
 */
export class ServedCall implements MessageListener, Expiring {
  /** Counts what its client makes the server hold. */
  readonly account: HeldAccount;
  readonly #host: StreamHost;
  readonly #call: DiscoveryCall;
  readonly #handler: CallHandler;
  readonly #transport: ResponseTransport;
  /** The first request has come in time. */
  #hasBegun = false;
  #isWritable = true;
  #isClosed = false;

  /** @param requestBound The bound on one request. */
  constructor(host: StreamHost, call: DiscoveryCall, requestBound: ByteBound, handler: CallHandler) {
    this.#host = host;
    this.#call = call;
    this.#handler = handler;
    this.account = host.held.open(connectionOf(call), this);
    this.#transport = host.transportOf(call, requestBound, this);
    host.deadlines.begin(this);
    call.on("end", () => handler.ended());
    call.on("error", () => this.#close());
    call.on("cancelled", () => this.#close());
    this.account.set("stream", CALL_BYTES);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the socket takes more responses. */
  get isWritable(): boolean {
    return this.#isWritable && !this.#isClosed;
  }

  /** Ends the wait for the first request; later ones must arrive whole soon after their first byte. */
  begin(): void {
    this.#hasBegun = true;
    this.#host.deadlines.end(this);
  }

  /** @param written called when the socket has taken the response, or never will */
  write(frame: ResponseFrame, written: () => void): void {
    // A client need not read: what is sent to it counts until the socket has taken it.
    this.account.share(frame.whole, frame.whole.length);
    const isTaken = () => {
      this.account.unshare(frame.whole);
      written();
    };
    this.#isWritable = this.#transport.write(frame, isTaken) && this.#isWritable;
  }

  /** Lets whatever a client or its content causes end its call at most. */
  guard(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.refuse(thrown);
    }
  }

  /** Ends the call because of what came on it: it met a limit, or cannot be read or handled. */
  refuse(why: unknown): void {
    if (this.#isClosed) return;
    if (why instanceof LimitMet) {
      this.#host.onLimit(why.limit);
      this.fail(status.RESOURCE_EXHAUSTED, why.message);
      if (why.isOfHeldBytes) this.#transport.reset();
    } else if (why instanceof MessageError) this.fail(why.code, why.message);
    else if (why instanceof UnreadableBytes) {
      this.fail(status.INVALID_ARGUMENT, `the request cannot be decoded: ${why.message}`);
    } else {
      this.#host.containment.note("xds", this.#handler.name, why);
      this.fail(status.INTERNAL, `the server failed to handle the ${this.#handler.noun}; its log says why`);
    }
  }

  /** Ends the call with a status other than OK. */
  fail(code: status, details: string): void {
    if (this.#isClosed) return;
    this.#close();
    this.#host.log.info({ ...this.#handler.logged(), code, details }, `${this.#handler.noun} refused`);
    this.#call.emit("error", { code, details });
  }

  /** Ends the call in good order. */
  end(): void {
    if (this.#isClosed) return;
    this.#close();
    this.#call.end();
  }

  received(message: Buffer): void {
    if (!this.#isClosed) this.guard(() => this.#handler.received(message));
  }

  /** Called when part of a request has come, or now all of it. */
  held(bytes: number): void {
    this.account.set("request", bytes);
    if (this.#isClosed) return;
    if (bytes > 0) this.#host.deadlines.begin(this);
    else if (this.#hasBegun) this.#host.deadlines.end(this);
  }

  unreadable(why: unknown): void {
    this.refuse(why);
  }

  drained(): void {
    this.#isWritable = true;
    this.#handler.drained();
  }

  expire(): void {
    const { requestMs } = this.#host.limits;
    this.fail(status.DEADLINE_EXCEEDED, `no complete request arrived within ${requestMs} ms (XdsLimits.requestMs)`);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#host.deadlines.end(this);
    this.#transport.stop();
    this.account.close();
    this.#handler.closed();
  }
}
