import { status } from "@grpc/grpc-js";
import type { ClientCollections } from "../protocol/collections.ts";
import type { Report, Send } from "../protocol/events.ts";
import type { ResourceKey } from "../protocol/resource.ts";
import { mayHoldUnder } from "../protocol/running.ts";
import type { ProtocolStream } from "../protocol/stream.ts";
import type { TypeReading } from "../protocol/type-state.ts";
import { type ClientStatus, describeStream, type ServedClient } from "./client-status.ts";
import { createProtocol } from "./create-protocol.ts";
import { UnreadableBytes } from "./field-reader.ts";
import { LimitMet } from "./limit-met.ts";
import { MessageError } from "./message-reader.ts";
import type { NameList } from "./name-lists.ts";
import { ANONYMOUS, type NodeIdentity, readNode, readNodeId } from "./node-identity.ts";
import { type Peer, peerOf } from "./peer.ts";
import { readDeltaRequest, readDiscoveryRequest } from "./read-request.ts";
import { rememberRefusals } from "./refusal-memory.ts";
import { type DiscoveryMethod, soleMethod } from "./services.ts";
import { Silence } from "./silence.ts";
import { mayTakeBack, StreamFence } from "./stream-fence.ts";
import type { Publication } from "./stream-groups.ts";
import { StreamHoldings } from "./stream-holdings.ts";
import type { StreamHost } from "./stream-host.ts";
import { connectionOf, type DiscoveryCall, type ResponseTransport } from "./stream-transport.ts";
import { UnknownTypes } from "./unknown-types.ts";
import { WakeTimer } from "./wake-timer.ts";

/**
 * One open stream: reads requests off the socket, and writes what the protocol says while the socket takes it. The call's
 * listeners keep it alive for as long as the call lives.
 */
export class StreamDriver implements ServedClient {
  readonly streamId: string;
  readonly method: DiscoveryMethod;
  readonly variant: DiscoveryMethod["variant"];
  readonly sole: string | undefined;
  readonly peer: Peer;
  readonly openedAt: number;
  /** What `progress` last said of this stream. */
  toldPending: number | undefined;
  #node: NodeIdentity | undefined;
  #group: string | undefined;
  readonly #silence: Silence;
  /** It may not know of all that was published: use `#stream`. */
  #protocol: ProtocolStream | undefined;
  /** The first update that the protocol has not been told of yet. */
  #unread: Publication | undefined;
  #writable = true;
  #closed = false;
  readonly #wakes: WakeTimer;
  readonly #call: DiscoveryCall;
  readonly #transport: ResponseTransport;
  readonly #holdings: StreamHoldings;
  readonly #host: StreamHost<StreamDriver>;
  readonly #fence: StreamFence;
  /** SotW: what the last request of each type listed. */
  readonly #lists = new Map<string, NameList>();
  readonly #unknownTypes = new UnknownTypes();
  readonly openedMonotonic: number;
  readonly #holdOf = (key: ResourceKey, version: string) => this.#hold(key, version);

  constructor(host: StreamHost<StreamDriver>, call: DiscoveryCall, method: DiscoveryMethod, streamId: string) {
    this.#host = host;
    this.#call = call;
    this.method = method;
    this.variant = method.variant;
    this.sole = soleMethod(method);
    this.streamId = streamId;
    this.openedAt = host.clock.now();
    this.#silence = new Silence(host.clock);
    this.openedMonotonic = host.clock.monotonic();
    this.peer = peerOf(call);
    this.#fence = new StreamFence(host, () => this.#fenceEnded());
    this.#wakes = new WakeTimer(host.clock, () => this.#host.wake(this));
    this.#holdings = new StreamHoldings(host.held.open(connectionOf(call), (limit) => this.refuse(limit)));
    const bound = { limit: "maxRequestBytes", most: host.limits.maxRequestBytes } as const;
    this.#transport = host.transportOf(call, bound, {
      received: (bytes) => this.#receive(bytes),
      held: (bytes) => this.#holdPart(bytes),
      unreadable: (why) => this.refuse(why),
      drained: () => {
        this.#writable = true;
        this.#host.wake(this);
      },
    });
    host.deadlines.begin(this);
    call.on("end", () => this.#end());
    call.on("error", () => this.#close());
    call.on("cancelled", () => this.#close());
    this.#holdings.open();
  }

  get node(): NodeIdentity {
    return this.#node ?? ANONYMOUS;
  }

  get group(): string | undefined {
    return this.#group;
  }

  /** Tells the stream what changed in its group, to be read when the stream is next used; the caller flushes it. */
  publish(publication: Publication): void {
    this.#unread ??= publication;
  }

  /** Finds out again where this stream belongs. */
  regroup(): void {
    if (!this.#node || this.#closed) return;
    const node = this.#node;
    this.#guard(() => this.#place(node));
  }

  /** Attaches the group's view again, since it may have appeared or disappeared. */
  reattach(): void {
    const group = this.#group;
    if (group !== undefined) this.#guard(() => this.#attach(group));
  }

  recheckHolds(): void {
    this.#guard(() => {
      this.#fence.pass({ again: true });
      if (this.#stream?.releaseHolds()) this.#host.wake(this);
    });
  }

  /**
   * Writes everything that may leave now. Cheap when nothing is due.
   *
   * @param written called when the socket has taken it
   * @returns whether that will be soon
   */
  flush(written: () => void): boolean {
    const stream = this.#stream;
    const isFenced = this.#fence.hasPassed || this.#fence.hasFailed;
    if (!stream || this.#closed || !this.#writable || !isFenced) return false;
    const { sends, reports, wakeAt } = stream.flush(this.#host.clock.monotonic(), this.#holdOf);
    let isSoonWritten = false;
    for (const send of sends) isSoonWritten = this.#write(send, written);
    for (const report of reports) this.#host.report(this, report);
    if (!this.#closed) this.#wakes.set(wakeAt);
    return isSoonWritten;
  }

  /** Whether a flush would find nothing to do. */
  isQuiet(): boolean {
    return this.#stream?.isQuiet() ?? true;
  }

  oldestPending(): number | undefined {
    return this.#stream?.oldestPending();
  }

  /** The collections named in what this stream sent, and those that its client asks for on it. */
  collections(): ClientCollections {
    return this.#stream?.collections() ?? { named: [], asked: [] };
  }

  resend(typeUrl: string | undefined): number {
    const count = this.#stream?.resend(typeUrl) ?? 0;
    if (count > 0) this.#host.wake(this);
    return count;
  }

  typeState(typeUrl: string): TypeReading | undefined {
    return this.#stream?.states.get(typeUrl);
  }

  /** Ends the stream with a status that makes the client come back. */
  stop(reason = "the server is stopping"): void {
    this.#fail(status.UNAVAILABLE, reason);
  }

  describe(): ClientStatus {
    return describeStream(this, this.#stream?.states.values() ?? [], {
      ...this.#silence.told,
      duplicate: this.#host.isDuplicate(this),
      unknownTypes: this.#unknownTypes.list(),
    });
  }

  /** Ends the stream because of what came on it: it met a limit, or cannot be read or handled. */
  refuse(why: unknown): void {
    if (this.#closed) return;
    if (why instanceof LimitMet) {
      this.#host.limitMet(this, why);
      this.#fail(status.RESOURCE_EXHAUSTED, why.message);
      if (why.isOfHeldBytes) this.#transport.reset();
    } else if (why instanceof MessageError) this.#fail(why.code, why.message);
    else if (why instanceof UnreadableBytes) {
      this.#fail(status.INVALID_ARGUMENT, `the request does not decode: ${why.message}`);
    } else {
      this.#host.failed(this, why);
      this.#fail(status.INTERNAL, "the stream met a fault of the server, which has logged it");
    }
  }

  /** Called when no whole request came in time. */
  expire(): void {
    const { requestMs } = this.#host.limits;
    this.#fail(status.DEADLINE_EXCEEDED, `no whole request within ${requestMs} ms (XdsLimits.requestMs)`);
  }

  /** The protocol side of the stream, after telling it of everything published. */
  get #stream(): ProtocolStream | undefined {
    let unread = this.#unread;
    this.#unread = undefined;
    for (; unread; unread = unread.next) {
      for (const [typeUrl, names] of unread.changes) this.#protocol?.publish(typeUrl, names, unread.number);
    }
    return this.#protocol;
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return;
    this.#guard(() => (this.variant === "delta" ? this.#receiveDelta(bytes) : this.#receiveSotw(bytes)));
  }

  /** Lets whatever one stream's client or content causes end that stream at most. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.refuse(thrown);
    }
  }

  /** Called when part of a request has come, or now all of it. */
  #holdPart(bytes: number): void {
    this.#holdings.request(bytes);
    if (this.#closed) return;
    if (bytes > 0) this.#host.deadlines.begin(this);
    else if (this.#node) this.#host.deadlines.end(this);
  }

  #receiveSotw(bytes: Buffer): void {
    const { request, node, list } = readDiscoveryRequest(bytes, this.#lists.values(), this.#host.reading);
    const typeUrl = this.#typeOf(request.typeUrl);
    const stream = this.#admit(node, typeUrl);
    if (!stream) return;
    const names = this.#lists.get(typeUrl) === list ? undefined : list.names;
    this.#lists.set(typeUrl, list);
    this.#reportAll(stream, stream.receiveSotw({ ...request, typeUrl, names }, this.#host.clock.monotonic()));
  }

  #receiveDelta(bytes: Buffer): void {
    const { request, node } = readDeltaRequest(bytes, this.#host.reading);
    const typeUrl = this.#typeOf(request.typeUrl);
    const stream = this.#admit(node, typeUrl);
    if (!stream) return;
    if (request.initialVersions.size > 0) this.#holdings.presented(request.initialVersions);
    const whole = typeUrl === request.typeUrl ? request : { ...request, typeUrl };
    this.#reportAll(stream, stream.receiveDelta(whole, this.#host.clock.monotonic()));
  }

  #typeOf(typeUrl: string): string {
    return typeUrl === "" ? (this.method.typeUrl ?? "") : typeUrl;
  }

  /** Checks what every request must have; returns undefined when there is nothing to do with it. */
  #admit(nodeBytes: Buffer | undefined, typeUrl: string): ProtocolStream | undefined {
    if (typeUrl === "") {
      this.#fail(status.INVALID_ARGUMENT, "type_url is required on an aggregated stream");
      return undefined;
    }
    if (this.method.typeUrl !== undefined && typeUrl !== this.method.typeUrl) {
      this.#fail(status.INVALID_ARGUMENT, `this method serves ${this.method.typeUrl}`);
      return undefined;
    }
    if (!this.#identify(nodeBytes)) return undefined;
    if (!this.#host.registry.byTypeUrl.has(typeUrl)) {
      this.#unknownTypes.add(typeUrl);
      return undefined;
    }
    return this.#stream;
  }

  /** Reads the node once per stream; later requests may repeat it, but not change its id (xds C1, C2). */
  #identify(bytes: Buffer | undefined): boolean {
    const { limits } = this.#host;
    if (this.#node) {
      if (!bytes || readNodeId(bytes, limits) === this.#node.id) return true;
      this.#fail(status.INVALID_ARGUMENT, "the node id changed on an open stream");
      return false;
    }
    if (!bytes) {
      this.#fail(status.INVALID_ARGUMENT, "the first request of a stream carries the node");
      return false;
    }
    const unavailable = this.#host.unavailable();
    if (unavailable !== undefined) {
      this.#fail(status.UNAVAILABLE, unavailable);
      return false;
    }
    const node = readNode(bytes, limits);
    if (node.id === "") {
      this.#fail(status.INVALID_ARGUMENT, "node.id is empty; a client is known by it");
      return false;
    }
    this.#host.deadlines.end(this);
    this.#holdings.node(JSON.stringify(node).length);
    this.#node = node;
    this.#protocol = createProtocol(this.#host, this, node);
    this.#place(node);
    if (!this.#closed) this.#host.opened(this);
    return !this.#closed;
  }

  #place(node: NodeIdentity): void {
    const placement = this.#host.place(node, this.peer);
    if ("refuse" in placement) {
      this.#fail(status.PERMISSION_DENIED, placement.refuse);
      return;
    }
    const from = this.#group;
    this.#group = "group" in placement ? placement.group : undefined;
    if (from !== this.#group) this.#host.moved(this, from);
    if ("group" in placement) this.#attach(placement.group);
    else {
      this.#silence.set(placement.silent);
      this.#stream?.attach(undefined);
    }
  }

  #attach(group: string): void {
    const view = this.#host.view(group);
    this.#stream?.attach(view);
    this.#silence.set(view ? undefined : "group_without_content");
    if (view) this.#fence.pass({ again: false });
    this.#host.wake(this);
  }

  #fenceEnded(): void {
    this.#guard(() => {
      if (this.#fence.hasPassed) this.#stream?.releaseHolds();
      this.#host.wake(this);
    });
  }

  mayHold({ typeUrl, name }: ResourceKey): boolean {
    const state = this.typeState(typeUrl);
    return state !== undefined && mayHoldUnder(state, name);
  }

  #hold(key: ResourceKey, version: string): string | undefined {
    const state = this.#fence.hasFailed ? this.#stream?.states.get(key.typeUrl) : undefined;
    if (this.#fence.hasFailed && mayTakeBack(state, key, version)) return "store_unreachable";
    return this.#host.hold(this, key, version);
  }

  #reportAll(stream: ProtocolStream, reports: readonly Report[]): void {
    const { refusals, limits } = this.#host;
    for (const report of reports) {
      rememberRefusals(refusals, this.node.id, report);
      if (report.kind !== "ack") this.#holdings.count(stream.states.values(), this.#lists.values(), limits.maxNames);
      this.#host.report(this, report);
    }
    this.#host.wake(this);
  }

  #write(send: Send, written: () => void): boolean {
    const frame = this.#host.encoder.encode(send, this.variant, this.#host.identifier());
    const bytes = frame.shared.length + (frame.own?.length ?? 0);
    const isTaken = this.#holdings.sending(frame.whole, frame.whole.length);
    const whenWritten = () => {
      isTaken();
      written();
    };
    this.#writable = this.#transport.write(frame, whenWritten) && this.#writable;
    this.#host.sent(this, send, bytes);
    return bytes <= SOON_WRITTEN_BYTES;
  }

  /** Called when the client has ended its side: flushes nothing more, and closes in good order. */
  #end(): void {
    if (this.#closed) return;
    this.#close();
    this.#call.end();
  }

  #fail(code: status, details: string): void {
    if (this.#closed) return;
    this.#close();
    this.#host.log.info({ streamId: this.streamId, nodeId: this.node.id, code, details }, "stream refused");
    this.#call.emit("error", { code, details });
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#fence.stop();
    this.#wakes.set(Infinity);
    this.#host.deadlines.end(this);
    this.#transport.stop();
    this.#holdings.close();
    this.#host.closed(this, this.#stream?.states ?? new Map());
  }
}

/** A socket takes this much without waiting for its client; more goes in pieces, with others' in between. */
const SOON_WRITTEN_BYTES = 64 * 1024;
