import { status } from "@grpc/grpc-js";
import type { ClientCollections } from "../protocol/collections.ts";
import type { Report, Send } from "../protocol/events.ts";
import { lostVerdicts } from "../protocol/lost-verdicts.ts";
import type { ResourceKey } from "../protocol/resource.ts";
import { isSame } from "../protocol/resource.ts";
import { ProtocolStream } from "../protocol/stream.ts";
import type { TypeState } from "../protocol/type-state.ts";
import type { CachedResource } from "./cached-resource.ts";
import { type ClientStatus, describeType, type ServedClient } from "./client-status.ts";
import type { NameList } from "./name-lists.ts";
import { ANONYMOUS, honoursTtl, isGrpcClient, type NodeIdentity, readNode, readNodeId } from "./node-identity.ts";
import { type Peer, peerOf } from "./peer.ts";
import { readDeltaRequest, readDiscoveryRequest, TooManyNames } from "./read-request.ts";
import type { DiscoveryMethod } from "./services.ts";
import type { Publication } from "./stream-groups.ts";
import type { StreamHost } from "./stream-host.ts";
import type { DiscoveryCall, ResponseTransport } from "./stream-transport.ts";

/** Serves one call; what serves it lives as long as the call does, held by its listeners. */
export function serveStream(
  host: StreamHost<StreamDriver>,
  call: DiscoveryCall,
  method: DiscoveryMethod,
  streamId: string,
): StreamDriver {
  return new StreamDriver(host, call, method, streamId);
}

/** One open stream: reads requests off the socket, and writes what the protocol says while the socket takes it. */
export class StreamDriver implements ServedClient {
  readonly streamId: string;
  readonly method: DiscoveryMethod;
  readonly peer: Peer;
  readonly openedAt: number;
  /** What `progress` last said of this stream. */
  toldPending: number | undefined;
  #node: NodeIdentity | undefined;
  #group: string | undefined;
  #silent: string | undefined = "no request yet";
  #fence: "none" | "pending" | "passed" | "failed" = "none";
  /** May be behind what was published: use `#stream`. */
  #protocol: ProtocolStream | undefined;
  /** The first update that the protocol has not been told of yet. */
  #unread: Publication | undefined;
  #writable = true;
  #closed = false;
  #cancelWake: (() => void) | undefined;
  #wokenFor = Infinity;
  readonly #call: DiscoveryCall;
  readonly #transport: ResponseTransport;
  readonly #host: StreamHost<StreamDriver>;
  #abort: AbortController | undefined;
  /** SotW: what the last request of each type listed. */
  readonly #lists = new Map<string, NameList>();
  readonly #unknownTypes = new Set<string>();
  readonly #openedMonotonic: number;
  readonly #holdOf = (key: ResourceKey, version: string) => this.#hold(key, version);

  constructor(host: StreamHost<StreamDriver>, call: DiscoveryCall, method: DiscoveryMethod, streamId: string) {
    this.#host = host;
    this.#call = call;
    this.method = method;
    this.streamId = streamId;
    this.openedAt = host.clock.now();
    this.#openedMonotonic = host.clock.monotonic();
    this.peer = peerOf(call);
    this.#transport = host.transportOf(call, host.limits.maxRequestBytes, {
      received: (bytes) => this.#receive(bytes),
      drained: () => {
        this.#writable = true;
        this.#host.wake(this);
      },
    });
    call.on("end", () => this.#end());
    call.on("error", () => this.#close());
    call.on("cancelled", () => this.#close());
  }

  get node(): NodeIdentity {
    return this.#node ?? ANONYMOUS;
  }

  get group(): string | undefined {
    return this.#group;
  }

  get variant(): DiscoveryMethod["variant"] {
    return this.method.variant;
  }

  /** Tells the stream what changed in its group, to be read when the stream is used next: whoever tells it flushes it. */
  publish(publication: Publication): void {
    this.#unread ??= publication;
  }

  /** Asks again where this stream belongs. */
  regroup(): void {
    if (!this.#node || this.#closed) return;
    this.#place(this.#node);
  }

  /** The view of the stream's group may have come or gone. */
  reattach(): void {
    if (this.#group !== undefined) this.#attach(this.#group);
  }

  recheckHolds(): void {
    if (this.#fence === "failed" && this.#abort === undefined) this.#passFence();
    if (this.#stream?.releaseHolds()) this.#host.wake(this);
  }

  /**
   * Writes all that may leave now. Cheap when nothing is due.
   *
   * @param written called when the socket has taken it
   * @returns whether that will be soon
   */
  flush(written: () => void): boolean {
    const stream = this.#stream;
    const fenced = this.#fence === "passed" || this.#fence === "failed";
    if (!stream || this.#closed || !this.#writable || !fenced) return false;
    const { sends, reports, wakeAt } = stream.flush(this.#host.clock.monotonic(), this.#holdOf);
    let isSoonWritten = false;
    for (const send of sends) isSoonWritten = this.#write(send, written);
    for (const report of reports) this.#host.report(this, report);
    this.#wakeAt(wakeAt);
    return isSoonWritten;
  }

  /** A flush would find nothing to do. */
  isQuiet(): boolean {
    return this.#stream?.isQuiet() ?? true;
  }

  oldestPending(): number | undefined {
    return this.#stream?.oldestPending();
  }

  /** What this stream and others of the same client have to do with collections. */
  collections(): ClientCollections {
    return this.#stream?.collections() ?? { named: [], asked: [] };
  }

  typeState(typeUrl: string): TypeState | undefined {
    return this.#stream?.states.get(typeUrl);
  }

  /** Ends the stream with a status that makes the client come back. */
  stop(reason = "the server is stopping"): void {
    this.#fail(status.UNAVAILABLE, reason);
  }

  describe(): ClientStatus {
    const { streamId, node, peer, variant, group, openedAt } = this;
    const offset = this.openedAt - this.#openedMonotonic;
    const states = [...(this.#stream?.states.values() ?? [])].filter((state) => state.requested);
    return {
      streamId,
      node,
      peer,
      variant,
      group,
      openedAt,
      method: `${this.method.service}/${this.method.method}`,
      silent: this.#silent,
      duplicate: this.#host.isDuplicate(this),
      unknownTypes: [...this.#unknownTypes],
      oldestPending: this.oldestPending(),
      types: states.map((state) => describeType(state, (at) => Math.round(at + offset))),
    };
  }

  /** The protocol's side of the stream, told of all that was published. */
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
    try {
      if (this.variant === "delta") this.#receiveDelta(bytes);
      else this.#receiveSotw(bytes);
    } catch (error) {
      if (error instanceof TooManyNames) this.#fail(status.RESOURCE_EXHAUSTED, error.message);
      else this.#fail(status.INVALID_ARGUMENT, "the request does not decode");
    }
  }

  #receiveSotw(bytes: Buffer): void {
    const { request, node, list } = readDiscoveryRequest(bytes, this.#lists.values(), this.#host.reading);
    const typeUrl = this.#typeOf(request.typeUrl);
    const stream = this.#admit(node, typeUrl);
    if (!stream) return;
    const names = this.#lists.get(typeUrl) === list ? undefined : list.names;
    this.#lists.set(typeUrl, list);
    this.#reportAll(stream.receiveSotw({ ...request, typeUrl, names }, this.#host.clock.monotonic()));
  }

  #receiveDelta(bytes: Buffer): void {
    const { request, node } = readDeltaRequest(bytes, this.#host.reading);
    const typeUrl = this.#typeOf(request.typeUrl);
    const stream = this.#admit(node, typeUrl);
    if (!stream) return;
    const whole = typeUrl === request.typeUrl ? request : { ...request, typeUrl };
    this.#reportAll(stream.receiveDelta(whole, this.#host.clock.monotonic()));
    const names = stream.states.get(typeUrl)?.subscription.names.size ?? 0;
    if (names > this.#host.limits.maxNames) this.#fail(status.RESOURCE_EXHAUSTED, "too many names on one stream");
  }

  #typeOf(typeUrl: string): string {
    return typeUrl === "" ? (this.method.typeUrl ?? "") : typeUrl;
  }

  /** Checks what a request must have, whoever it is from; undefined when there is nothing to do with it. */
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
      if (this.#unknownTypes.size < MAX_UNKNOWN_TYPES)
        this.#unknownTypes.add(typeUrl.slice(0, MAX_UNKNOWN_TYPE_LENGTH));
      return undefined;
    }
    return this.#stream;
  }

  /** Reads the node once per stream; later ones may repeat it, but not change who it is (C1, C2). */
  #identify(bytes: Buffer | undefined): boolean {
    if (this.#node) {
      if (!bytes || readNodeId(bytes) === this.#node.id) return true;
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
    const node = readNode(bytes);
    this.#node = node;
    this.#protocol = this.#createProtocol(node);
    this.#place(node);
    if (!this.#closed) this.#host.opened(this);
    return !this.#closed;
  }

  #createProtocol(node: NodeIdentity): ProtocolStream {
    const { limits, registry, refusals } = this.#host;
    const protocol = new ProtocolStream({
      variant: this.variant,
      registry,
      aggregated: this.method.typeUrl === undefined,
      nonceTags: { own: `${this.streamId}-`, shared: this.#host.nonceTag },
      tables: this.#host.tables,
      waitMs: limits.waitMs,
      overtakeMs: limits.overtakeMs,
      settleMs: limits.settleMs,
      maxResponseBytes: isGrpcClient(node) ? limits.maxGrpcResponseBytes : limits.maxResponseBytes,
      honoursTtl: honoursTtl(node, this.variant),
    });
    for (const { typeUrl, name } of refusals.load(node.id)) protocol.remember(typeUrl, name);
    protocol.recall(this.#host.lostVerdicts.take(node.id, this.method.typeUrl));
    return protocol;
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
      this.#silent = placement.silent;
      this.#stream?.attach(undefined);
    }
  }

  #attach(group: string): void {
    const view = this.#host.view(group);
    this.#stream?.attach(view);
    this.#silent = view ? undefined : "group_without_content";
    if (view && this.#fence === "none") this.#passFence();
    this.#host.wake(this);
  }

  /** Nothing is answered before whatever any replica ever served has surely arrived here (design: the fence). */
  #passFence(): void {
    // While a fence that failed is tried again, what is held stays held, and is seen to be.
    if (this.#fence === "none") this.#fence = "pending";
    this.#abort = new AbortController();
    this.#host.fence(this.#abort.signal).then(
      () => this.#fenceEnded("passed"),
      () => this.#fenceEnded("failed"),
    );
  }

  #fenceEnded(outcome: "passed" | "failed"): void {
    if (this.#closed) return;
    this.#abort = undefined;
    this.#fence = outcome;
    if (outcome === "passed") this.#stream?.releaseHolds();
    this.#host.wake(this);
  }

  mayHold({ typeUrl, name }: ResourceKey): boolean {
    return this.#stream?.states.get(typeUrl)?.mayHoldUnder(name) === true;
  }

  #hold(key: ResourceKey, version: string): string | undefined {
    if (this.#fence === "failed" && this.mayHold(key)) {
      const known = this.#stream?.states.get(key.typeUrl)?.sent.get(key.name);
      const equal = known !== undefined && version !== "" && isSame(known, key as CachedResource);
      if (!equal) return "store_unreachable";
    }
    return this.#host.hold(this, key, version);
  }

  #reportAll(reports: readonly Report[]): void {
    const { refusals } = this.#host;
    for (const report of reports) {
      if (report.kind === "nack") {
        const { message, items } = report.refusal;
        refusals.record(this.node.id, { typeUrl: report.typeUrl, names: [...items.keys()], message });
      } else if (report.kind === "cleared") {
        refusals.clear(this.node.id, report.typeUrl, report.names);
      }
      this.#host.report(this, report);
    }
    this.#host.wake(this);
  }

  #write(send: Send, written: () => void): boolean {
    const frame = this.#host.encoder.encode(send, this.variant, this.#host.identifier());
    const bytes = frame.shared.length + (frame.own?.length ?? 0);
    this.#writable = this.#transport.write(frame, written) && this.#writable;
    this.#host.sent(this, send, bytes);
    return bytes <= SOON_WRITTEN_BYTES;
  }

  #wakeAt(at: number): void {
    if (at === this.#wokenFor) return;
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    this.#wokenFor = at;
    if (at === Infinity) return;
    const delayMs = Math.max(1, at - this.#host.clock.monotonic());
    this.#cancelWake = this.#host.clock.after(delayMs, () => {
      this.#wokenFor = Infinity;
      this.#host.wake(this);
    });
  }

  /** The client has said all it had to say: flush nothing more, close in good order. */
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
    this.#abort?.abort();
    this.#cancelWake?.();
    if (this.#stream) this.#host.lostVerdicts.keep(this.node.id, lostVerdicts(this.#stream.states));
    this.#host.closed(this);
  }
}

/** A socket takes this much without waiting for its client; more comes and goes in pieces, others' in between. */
const SOON_WRITTEN_BYTES = 64 * 1024;
const MAX_UNKNOWN_TYPES = 16;
const MAX_UNKNOWN_TYPE_LENGTH = 256;
