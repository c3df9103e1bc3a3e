import type { Clock } from "../runtime/clock.ts";
import type { Revision } from "../store/revision.ts";
import type { ClientCollections } from "../xds/protocol/collections.ts";
import type { StreamHolding, StreamRef } from "../xds/protocol/stream-holding.ts";
import { AwayProxies } from "./away-proxies.ts";
import { type Connected, ConnectedProxies, earlier, type OpenStream } from "./connected-proxies.ts";
import { lastHeld, typesOf } from "./last-held.ts";
import {
  type FleetProgress,
  MAX_REMEMBERED,
  type NodeQuery,
  type OnItsWay,
  type Progress,
  type Refusal,
  type ToldNode,
  type ToldType,
} from "./node-directory.ts";
import type { PublicationLog } from "./publication-log.ts";
import { type AwaitedPublication, progressOnItsWay, progressTo, standing } from "./stream-progress.ts";
import { toldNode, toldTypes } from "./told-node.ts";

/** The open streams of this replica, as the xDS server knows them. */
export interface Streams {
  client(streamId: string): StreamHolding | undefined;
  /** As in what `client` returns, without the cost of describing the stream. */
  oldestPending(streamId: string): number | undefined;
  /** Sends what a stream's client should have again, of one type or of all. Returns how many resources that is. */
  resend(streamId: string, typeUrl: string | undefined): number;
  collections(streamId: string): ClientCollections;
}

/** A stream, and what is wrong on it. */
export interface StreamStanding {
  readonly node: ToldNode;
  readonly refusals: readonly Refusal[];
  /** For each resource that is held back, why. */
  readonly holds: readonly string[];
}

export interface LocalNodeDirectoryOptions {
  readonly streams: () => Streams;
  readonly publications: PublicationLog;
  readonly clock: Clock;
  readonly replica: string;
  /** The fleet that a group of proxies belongs to. */
  readonly fleetOf: (group: string) => string;
  /** The objects that a resource of a group comes from. */
  readonly objectsOf: (group: string, typeUrl: string, name: string) => Refusal["objects"];
  /** Called with the milliseconds between a commit and one proxy's acknowledgement of what was due because of it. */
  readonly onSettled: (latencyMs: number) => void;
}

/**
 * A proxy that stays for less time has not shown what it holds: it may not have asked for all types, and a type that it
 * has not asked for counts as nothing due.
 */
const BRIEF_MS = 5000;
/** For one stream: a refused response can hold any number of resources. */
const MAX_REFUSALS_TOLD = 100;
const DONE: Progress = { state: "done" };
const NOT_PUBLISHED: Progress = { state: "unknown", message: "the replica has not published the revision" };
const DISCONNECTED: Progress = { state: "disconnected", message: "no open stream" };

/** The proxies of this replica. The xDS server reports streams to it; it costs one small entry per stream. */
export class LocalNodeDirectory {
  readonly #options: LocalNodeDirectoryOptions;
  readonly #connected: ConnectedProxies;
  readonly #away = new AwayProxies();
  readonly #listeners = new Set<() => void>();
  #changes = 0;
  #turnover = 0;

  constructor(options: LocalNodeDirectoryOptions) {
    this.#options = options;
    this.#connected = new ConnectedProxies(options.clock);
  }

  get replica(): string {
    return this.#options.replica;
  }

  opened(ref: StreamRef): void {
    this.#connected.open(ref);
    this.#turnover += 1;
    this.#changed();
  }

  /** @param owed The oldest publication that its client has not acknowledged, including what it refuses. */
  closed(ref: StreamRef, owed: number | undefined): void {
    if (!this.#connected.streams.has(ref.streamId)) return;
    const left = this.#connected.close(ref, owed);
    if (left !== undefined) this.#remember(ref, left);
    this.#turnover += 1;
    this.#changed();
  }

  /** What a fleet's proxies should have has changed: those that are away have not acknowledged it. */
  published(fleet: string, publication: number): void {
    this.#away.published(fleet, publication);
  }

  /** What is due on a stream may have moved on. */
  progressed(ref: StreamRef, oldestPending: number | undefined): void {
    const stream = this.#connected.streams.get(ref.streamId);
    if (stream === undefined) return;
    const before = stream.oldestPending;
    stream.oldestPending = oldestPending;
    if (before !== undefined && (oldestPending === undefined || oldestPending > before)) {
      this.#options.onSettled(this.#pendingFor(stream, before));
      const { publications, clock } = this.#options;
      publications.settle(
        { from: before, to: oldestPending ?? Number.POSITIVE_INFINITY, since: stream.openedAt },
        clock.monotonic(),
      );
    }
    this.#changed();
  }

  refused(ref: StreamRef): void {
    const stream = this.#connected.streams.get(ref.streamId);
    if (stream !== undefined) stream.refusing = true;
    this.#changed();
  }

  /** Grows with every change that `onChange` reports. */
  get changes(): number {
    return this.#changes;
  }

  /** Grows whenever a stream opens or ends, or a proxy is handed over. */
  get turnover(): number {
    return this.#turnover;
  }

  /** One node per stream, and one for each proxy that was seen recently, in no particular order. */
  nodes(query: NodeQuery = {}): readonly ToldNode[] {
    const { id, sent } = query;
    const { streams: all, byId } = this.#connected;
    const streams = id === undefined ? all.values() : (byId.get(id)?.streams ?? []);
    const nodes = [...streams].flatMap((stream) => this.#told(stream, query));
    if (sent !== undefined) return nodes;
    this.#away.forget(this.#options.clock.now());
    const away = id === undefined ? [...this.#away.byId.values()] : [this.#away.byId.get(id) ?? []].flat();
    const left = away.filter(({ node }) => !byId.has(node.id));
    return [...nodes, ...left.map(({ node, owes }) => ({ ...node, settled: this.#settledBefore(owes) }))];
  }

  /** Takes over proxies of a replica that has left: they will reconnect elsewhere. Those beyond the bound are dropped. */
  inherit(nodes: readonly ToldNode[]): void {
    const { clock, publications } = this.#options;
    const now = clock.now();
    for (const told of nodes) {
      // Whatever the other clock says, nobody left later than now; such an entry would never be forgotten.
      const node = { ...told, since: Math.min(told.since, now), handedOver: true };
      const known = this.#away.byId.get(node.id)?.node;
      if (this.#connected.byId.has(node.id) || (known !== undefined && known.since >= node.since)) continue;
      if (known === undefined && this.#away.byId.size >= MAX_REMEMBERED) continue;
      const owes = node.settled === undefined ? 0 : publications.publicationAfter(node.settled);
      this.#away.put(node, owes > (publications.last?.publication ?? 0) ? undefined : owes);
    }
    this.#away.forget(now);
    this.#turnover += 1;
    this.#changed();
  }

  /** How many proxies are connected. */
  get connected(): number {
    return this.#connected.byId.size;
  }

  /** One open stream after the other, each as it is when it is asked for, without its types. */
  *standing(): Generator<StreamStanding> {
    for (const stream of this.#connected.streams.values()) {
      const status = this.#options.streams().client(stream.ref.streamId);
      if (status === undefined) continue;
      const refusals = stream.refusing ? this.#refusalsOf(status) : [];
      stream.refusing = refusals.length > 0;
      const isSettled = status.oldestPending === undefined;
      yield {
        node: this.#toldOf(stream, status, []),
        refusals,
        holds: isSettled ? [] : status.types.flatMap(({ held }) => held.flatMap((each) => each.held ?? [])),
      };
    }
  }

  /** The progress of proxies that are connected here, or were recently; others are not in the answer. */
  progress(ids: Iterable<string> | undefined, revision: Revision, onItsWay?: OnItsWay): FleetProgress {
    const { publications } = this.#options;
    const publication = publications.publicationOf(revision);
    const before = publications.publicationBefore(revision);
    const awaited = onItsWay ?? (publication === undefined ? undefined : { publication, before });
    const progressOf = (stream: OpenStream) =>
      awaited === undefined ? NOT_PUBLISHED : this.#progressOf(stream, awaited);
    const { byId } = this.#connected;
    const found = new Map<string, Progress>();
    this.#away.forget(this.#options.clock.now());
    for (const id of ids ?? new Set([...this.#away.byId.keys(), ...byId.keys()])) {
      const streams = byId.get(id)?.streams;
      if (streams !== undefined) {
        found.set(id, this.#progressOfAll(streams, progressOf));
        continue;
      }
      const away = this.#away.progress(id, onItsWay === undefined ? publication : undefined);
      if (away !== undefined) found.set(id, away);
    }
    return { progress: found, settledAfterMs: publications.settledAfter(revision) };
  }

  refusals(): readonly Refusal[] {
    const found: Refusal[] = [];
    for (const stream of this.#connected.streams.values()) {
      if (!stream.refusing) continue;
      const status = this.#options.streams().client(stream.ref.streamId);
      const refusals = status === undefined ? [] : this.#refusalsOf(status);
      stream.refusing = refusals.length > 0;
      found.push(...refusals);
    }
    return found;
  }

  /** Returns undefined when no stream of the proxy is open here. */
  resend(id: string, typeUrl: string | undefined): number | undefined {
    const streams = this.#connected.byId.get(id)?.streams;
    if (streams === undefined) return undefined;
    let count = 0;
    for (const { ref } of streams) count += this.#options.streams().resend(ref.streamId, typeUrl);
    return count;
  }

  /** Forgets what a proxy that is away still has to acknowledge, and that it was here. */
  forget(id: string): void {
    this.#away.drop(id);
    this.#changed();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #progressOfAll(streams: readonly OpenStream[], progressOf: (stream: OpenStream) => Progress): Progress {
    for (const stream of streams) {
      const progress = progressOf(stream);
      if (progress.state !== "done" && !this.#connected.isOutlived(stream)) return progress;
    }
    const own = streams.map(({ ref }) => this.#options.streams().collections(ref.streamId));
    const named = [...new Set(own.flatMap((each) => each.named))];
    const asked = [...new Set(own.flatMap((each) => each.asked))];
    return named.length + asked.length === 0 ? DONE : { state: "done", collections: { named, asked } };
  }

  #fleetOf({ group }: StreamRef): string | undefined {
    return group === undefined ? undefined : this.#options.fleetOf(group);
  }

  #progressOf({ ref: { streamId }, refusing }: OpenStream, awaited: AwaitedPublication | OnItsWay): Progress {
    const streams = this.#options.streams();
    let isPending = true;
    if ("publication" in awaited) {
      // What the stream last reported may be older than what was published just now.
      const oldestPending = streams.oldestPending(streamId);
      isPending = oldestPending !== undefined && oldestPending <= awaited.publication;
      if (!isPending && !refusing) return DONE;
    }
    const status = streams.client(streamId);
    if (status === undefined) return DISCONNECTED;
    return "publication" in awaited
      ? progressTo(awaited, status, isPending)
      : progressOnItsWay(status, awaited.typeUrl);
  }

  #refusalsOf(status: StreamHolding): readonly Refusal[] {
    const { node, group } = status;
    const told = standing(status).slice(0, MAX_REFUSALS_TOLD);
    return told.map(({ typeUrl, name, refused: { version, message, at } }) => ({
      nodeId: node.id,
      typeUrl,
      resource: name,
      version,
      message,
      at,
      objects: group === undefined ? [] : this.#options.objectsOf(group, typeUrl, name),
    }));
  }

  #told(stream: OpenStream, query: NodeQuery): ToldNode | readonly [] {
    const { ref } = stream;
    if (query.detail === "place" && query.sent === undefined) {
      return toldNode(ref, [], { ...this.#placeOf(stream), lagMs: 0, settled: undefined });
    }
    const status = this.#options.streams().client(ref.streamId);
    if (status === undefined || (query.sent !== undefined && !wasSent(status, query.sent))) return [];
    return this.#toldOf(stream, status, toldTypes(status, query));
  }

  #placeOf({ ref, since }: OpenStream) {
    return { replica: this.#options.replica, since, connected: true, fleet: this.#fleetOf(ref) };
  }

  #toldOf(stream: OpenStream, status: StreamHolding, types: readonly ToldType[]): ToldNode {
    const { openedAt } = stream;
    const pending = status.oldestPending;
    return toldNode(status, types, {
      ...this.#placeOf(stream),
      lagMs: pending === undefined ? 0 : this.#pendingFor({ openedAt }, pending),
      settled: this.#settledBefore(pending),
    });
  }

  #remember(ref: StreamRef, { since, owed }: Connected): void {
    const { clock, replica } = this.#options;
    const fleet = this.#fleetOf(ref);
    const isBrief = clock.monotonic() - since < BRIEF_MS;
    const owes = isBrief ? earlier(this.#away.owedBy(ref.node.id, fleet), owed) : owed;
    const ended = { replica, fleet, since: clock.now(), connected: false, lagMs: 0, settled: undefined };
    // Once, at the end, and cut short: what it had is told for as long as it is away.
    const held = this.#options.streams().client(ref.streamId);
    const last = held && lastHeld({ types: toldTypes(held, {}), settled: undefined });
    this.#away.put(toldNode(ref, typesOf(last), ended), owes);
    this.#away.forget(clock.now());
  }

  /** The newest revision settled by a stream or proxy that owes this publication, or that owes nothing. */
  #settledBefore(publication: number | undefined): Revision | undefined {
    const { publications } = this.#options;
    return (publication === undefined ? publications.last : publications.settledBy(publication - 1))?.revision;
  }

  /** How long a stream has been waiting for a publication: since it was made, or since the stream opened if that was later. */
  #pendingFor(stream: Pick<OpenStream, "openedAt">, publication: number): number {
    const madeAt = this.#options.publications.firstAt(publication)?.at ?? stream.openedAt;
    return this.#options.clock.monotonic() - Math.max(madeAt, stream.openedAt);
  }

  #changed(): void {
    this.#changes += 1;
    for (const listener of this.#listeners) listener();
  }
}

function wasSent({ types }: StreamHolding, { typeUrl, name }: NonNullable<NodeQuery["sent"]>): boolean {
  return types.find((type) => type.typeUrl === typeUrl)?.resource(name)?.sent !== undefined;
}
