import { status } from "@grpc/grpc-js";
import type { ClientCollections } from "../protocol/collections.ts";
import type { Report, Send } from "../protocol/events.ts";
import type { ResourceKey } from "../protocol/resource.ts";
import { mayHoldUnder } from "../protocol/running.ts";
import type { ProtocolStream } from "../protocol/stream.ts";
import { type ClientStatus, describeType } from "./client-status.ts";
import { createProtocol } from "./create-protocol.ts";
import { HeldNames } from "./held-names.ts";
import { MessageError } from "./message-reader.ts";
import type { NameList } from "./name-lists.ts";
import { ANONYMOUS, isGrpcClient, type NodeIdentity, readNode, readNodeId } from "./node-identity.ts";
import type { OpenStream, OpenStreams } from "./open-streams.ts";
import { type Peer, peerOf } from "./peer.ts";
import { readDeltaRequest, readDiscoveryRequest } from "./read-request.ts";
import { rememberRefusals } from "./refusal-memory.ts";
import { type CallHandler, ServedCall } from "./served-call.ts";
import { logged, tellReport, tellSent } from "./server-events.ts";
import type { DiscoveryMethod } from "./services.ts";
import { mayTakeBack, StreamFence } from "./stream-fence.ts";
import type { Publication } from "./stream-groups.ts";
import type { StreamHost } from "./stream-host.ts";
import type { DiscoveryCall } from "./stream-transport.ts";
import { UnknownTypes } from "./unknown-types.ts";
import { WakeTimer } from "./wake-timer.ts";

/** A socket takes this much without waiting for its client; more goes in pieces, with others' in between. */
const SOON_WRITTEN_BYTES = 64 * 1024;

/**
 * One discovery stream: tells the protocol what its client requests and what is published for it, and its client what the
 * protocol says.
 */
export class StreamDriver implements OpenStream, CallHandler {
  readonly noun = "stream";
  readonly streamId: string;
  readonly peer: Peer;
  toldPending: number | undefined;
  readonly #method: DiscoveryMethod;
  readonly #openedAt: number;
  /** The same instant by the monotonic clock. */
  readonly #openedMonotonic: number;
  #node: NodeIdentity | undefined;
  #group: string | undefined;
  /** Why it is sent nothing, and since when, whatever the reasons were; every stream begins silent. */
  #silent: string | undefined = "no request yet";
  #silentSince: number | undefined;
  /** It may not know of all that was published: use `#stream`. */
  #protocol: ProtocolStream | undefined;
  /** The first update that the protocol has not been told of yet. */
  #unread: Publication | undefined;
  readonly #wakes: WakeTimer;
  readonly #host: StreamHost;
  readonly #streams: OpenStreams<StreamDriver>;
  readonly #fence: StreamFence;
  /** SotW: what the last request of each type listed. */
  #lists: Map<string, NameList> | undefined;
  #unknownTypes: UnknownTypes | undefined;
  readonly #holdOf = (key: ResourceKey, version: string) => this.#hold(key, version);
  readonly #call: ServedCall;
  readonly #names: HeldNames;

  constructor(
    host: StreamHost,
    streams: OpenStreams<StreamDriver>,
    { call, method, streamId }: { call: DiscoveryCall; method: DiscoveryMethod; streamId: string },
  ) {
    this.#host = host;
    this.#streams = streams;
    this.#method = method;
    this.streamId = streamId;
    this.peer = peerOf(call);
    this.#openedAt = host.clock.now();
    this.#silentSince = this.#openedAt;
    this.#openedMonotonic = host.clock.monotonic();
    this.#fence = new StreamFence(host, () => this.#fenceEnded());
    this.#wakes = new WakeTimer(host.clock, () => this.#streams.wake(this));
    this.#call = new ServedCall(host, call, { limit: "maxRequestBytes", most: host.limits.maxRequestBytes }, this);
    this.#names = new HeldNames(this.#call.account);
  }

  get node(): NodeIdentity {
    return this.#node ?? ANONYMOUS;
  }

  get group(): string | undefined {
    return this.#group;
  }

  get variant(): DiscoveryMethod["variant"] {
    return this.#method.variant;
  }

  get sole(): string | undefined {
    // A gRPC library may open a stream for each name that its program dials.
    return isGrpcClient(this.node) ? undefined : this.#method.sole;
  }

  get name(): string {
    return `stream ${this.streamId} of node ${this.node.id}`;
  }

  logged() {
    return logged(this);
  }

  publish(publication: Publication): void {
    this.#unread ??= publication;
  }

  /** Finds out again where this stream belongs. */
  regroup(): void {
    const node = this.#node;
    if (node && !this.#call.isClosed) this.#call.guard(() => this.#place(node));
  }

  reattach(): void {
    const group = this.#group;
    if (group !== undefined) this.#call.guard(() => this.#attach(group));
  }

  recheckHolds(): void {
    this.#call.guard(() => {
      this.#fence.pass({ again: true });
      if (this.#stream?.releaseHolds()) this.#streams.wake(this);
    });
  }

  flush(written: () => void): boolean {
    const stream = this.#stream;
    const { state: fence } = this.#fence;
    if (!stream || !this.#call.isWritable || fence === "none" || fence === "pending") return false;
    const { sends, reports, wakeAt } = stream.flush(this.#host.clock.monotonic(), this.#holdOf);
    let isSoonWritten = false;
    for (const send of sends) isSoonWritten = this.#write(send, written);
    for (const report of reports) tellReport(this.#host, this, report);
    if (!this.#call.isClosed) this.#wakes.set(wakeAt);
    return isSoonWritten;
  }

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
    if (count > 0) this.#streams.wake(this);
    return count;
  }

  mayHold({ typeUrl, name }: ResourceKey): boolean {
    const state = this.#stream?.states.get(typeUrl);
    return state !== undefined && mayHoldUnder(state, name);
  }

  /** Ends the stream with a status that makes the client come back. */
  stop(reason = "the server is stopping"): void {
    this.#call.fail(status.UNAVAILABLE, reason);
  }

  refuse(why: unknown): void {
    this.#call.refuse(why);
  }

  describe(): ClientStatus {
    const { streamId, node, peer, variant, group, sole } = this;
    const { service, method } = this.#method;
    const offset = this.#openedAt - this.#openedMonotonic;
    const requested = [...(this.#stream?.states.values() ?? [])].filter((state) => state.requested);
    return {
      streamId,
      node,
      peer,
      variant,
      group,
      sole,
      openedAt: this.#openedAt,
      method: `${service}/${method}`,
      oldestPending: this.oldestPending(),
      types: requested.map((state) => describeType(state, (at) => Math.round(at + offset))),
      silent: this.#silent,
      silentSince: this.#silentSince,
      duplicate: this.#streams.isDuplicate(this),
      unknownTypes: this.#unknownTypes?.list() ?? [],
    };
  }

  received(bytes: Buffer): void {
    if (this.variant === "delta") this.#receiveDelta(bytes);
    else this.#receiveSotw(bytes);
  }

  drained(): void {
    this.#streams.wake(this);
  }

  ended(): void {
    this.#call.end();
  }

  closed(): void {
    this.#fence.stop();
    this.#wakes.set(Infinity);
    this.#streams.closed(this, this.#stream?.states ?? new Map());
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

  #receiveSotw(bytes: Buffer): void {
    const { request, node, list } = readDiscoveryRequest(bytes, this.#lists?.values() ?? [], this.#host.reading);
    const typeUrl = this.#typeOf(request.typeUrl);
    const stream = this.#admit(node, typeUrl);
    if (!stream) return;
    this.#lists ??= new Map();
    const names = this.#lists.get(typeUrl) === list ? undefined : list.names;
    this.#lists.set(typeUrl, list);
    this.#reportAll(stream, stream.receiveSotw({ ...request, typeUrl, names }, this.#host.clock.monotonic()));
  }

  #receiveDelta(bytes: Buffer): void {
    const { request, node } = readDeltaRequest(bytes, this.#host.reading);
    const typeUrl = this.#typeOf(request.typeUrl);
    const stream = this.#admit(node, typeUrl);
    if (!stream) return;
    if (request.initialVersions.size > 0) this.#names.presented(request.initialVersions);
    const whole = typeUrl === request.typeUrl ? request : { ...request, typeUrl };
    this.#reportAll(stream, stream.receiveDelta(whole, this.#host.clock.monotonic()));
  }

  #typeOf(typeUrl: string): string {
    return typeUrl === "" ? (this.#method.typeUrl ?? "") : typeUrl;
  }

  /** Checks what every request must have; returns undefined when there is nothing to do with it. */
  #admit(nodeBytes: Buffer | undefined, typeUrl: string): ProtocolStream | undefined {
    const own = this.#method.typeUrl;
    if (typeUrl === "") throw invalid("type_url is required on an aggregated stream");
    if (own !== undefined && typeUrl !== own) throw invalid(`this method serves only ${own}`);
    this.#identify(nodeBytes);
    if (this.#host.registry.byTypeUrl.has(typeUrl)) return this.#call.isClosed ? undefined : this.#stream;
    this.#unknownTypes ??= new UnknownTypes();
    this.#unknownTypes.add(typeUrl);
    return undefined;
  }

  /** Reads the node once per stream; later requests may repeat it, but not change its id (xds C1, C2). */
  #identify(bytes: Buffer | undefined): void {
    const { limits, admit } = this.#host;
    if (this.#node) {
      if (!bytes || readNodeId(bytes, limits) === this.#node.id) return;
      throw invalid("the node id changed on an open stream");
    }
    if (!bytes) throw invalid("the first request of a stream must carry the node");
    const unavailable = admit();
    if (unavailable !== undefined) throw new MessageError(status.UNAVAILABLE, unavailable);
    const node = readNode(bytes, limits);
    if (node.id === "") throw invalid("node.id is empty; it must name the client");
    this.#call.begin();
    this.#call.account.set("node", JSON.stringify(node).length);
    // That ends the call if it holds too much: a closed stream must not come into a group, which would keep it.
    if (this.#call.isClosed) return;
    this.#node = node;
    this.#protocol = createProtocol(this.#host, this.#method, this.streamId, node);
    this.#place(node);
    // What was contained on the way may have ended the call.
    if (!this.#call.isClosed) this.#streams.opened(this);
  }

  #place(node: NodeIdentity): void {
    const chosen = this.#host.groupOf(node, this.peer);
    const placement = typeof chosen === "string" ? { group: chosen } : chosen;
    if ("refuse" in placement) throw new MessageError(status.PERMISSION_DENIED, placement.refuse);
    const from = this.#group;
    this.#group = "group" in placement ? placement.group : undefined;
    if (from !== this.#group) this.#streams.moved(this, from);
    if ("group" in placement) this.#attach(placement.group);
    else {
      this.#silence(placement.silent);
      this.#stream?.attach(undefined);
    }
  }

  #attach(group: string): void {
    const served = this.#host.cache.served(group);
    this.#stream?.attach(served);
    this.#silence(served ? undefined : "group_without_content");
    if (served) this.#fence.pass({ again: false });
    this.#streams.wake(this);
  }

  /** Silences the stream for a reason, or ends the silence. Another reason does not restart it. */
  #silence(reason: string | undefined): void {
    this.#silent = reason;
    this.#silentSince = reason === undefined ? undefined : (this.#silentSince ?? this.#host.clock.now());
  }

  #fenceEnded(): void {
    this.#call.guard(() => {
      if (this.#fence.state === "passed") this.#stream?.releaseHolds();
      this.#streams.wake(this);
    });
  }

  #hold(key: ResourceKey, version: string): string | undefined {
    const isUnfenced = this.#fence.state === "failed";
    if (isUnfenced && mayTakeBack(this.#stream?.states.get(key.typeUrl), key, version)) return "store_unreachable";
    return this.#host.hold(this, key, version);
  }

  #reportAll(stream: ProtocolStream, reports: readonly Report[]): void {
    const { refusals, limits } = this.#host;
    for (const report of reports) {
      rememberRefusals(refusals, this.node.id, report);
      if (report.kind !== "ack")
        this.#names.count(stream.states.values(), this.#lists?.values() ?? [], limits.maxNames);
      tellReport(this.#host, this, report);
    }
    this.#streams.wake(this);
  }

  #write(send: Send, written: () => void): boolean {
    const { encoder, identifier } = this.#host;
    const frame = encoder.encode(send, this.variant, identifier());
    this.#call.write(frame, written);
    const bytes = frame.shared.length + (frame.own?.length ?? 0);
    tellSent(this.#host, this, send, bytes);
    return bytes <= SOON_WRITTEN_BYTES;
  }
}

function invalid(what: string): MessageError {
  return new MessageError(status.INVALID_ARGUMENT, what);
}
