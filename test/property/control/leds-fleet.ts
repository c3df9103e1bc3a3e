/** Replicas that fold one log, a duty that may lose its memory, and proxies that hold collections as Envoy does. */

import { fromBinary } from "@bufbuild/protobuf";
import { sinkInto } from "../../../src/app/resource-sink.ts";
import { Mirror } from "../../../src/control/mirror.ts";
import { proxyGroup } from "../../../src/control/proxy-group.ts";
import { Publisher } from "../../../src/control/publisher.ts";
import { targetText } from "../../../src/domain/backend.ts";
import { backendJudge } from "../../../src/domain/backend-networks.ts";
import { fleetBackends } from "../../../src/domain/fleet-backends.ts";
import { storeKey } from "../../../src/domain/name.ts";
import { routingState } from "../../../src/domain/routing-state.ts";
import { deliverByLeds } from "../../../src/duties/deliver-by-leds.ts";
import type { Duty } from "../../../src/duties/duty.ts";
import { type LbEndpoint, LbEndpointSchema } from "../../../src/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { manifestKind, messageFromJson } from "../../../src/schema/object-json.ts";
import { encodeStored } from "../../../src/schema/stored-object.ts";
import type { Change } from "../../../src/store/state-store.ts";
import { createRegistry, ENDPOINT_TYPE, LEDS_TYPE } from "../../../src/xds/protocol/resource-types.ts";
import { ProtocolStream } from "../../../src/xds/protocol/stream.ts";
import type { CachedResource } from "../../../src/xds/server/cached-resource.ts";
import { ResourceCache } from "../../../src/xds/server/resource-cache.ts";
import { FakeClock } from "../../support/fake-clock.ts";

export const SERVICE = "shop";
const GROUP = proxyGroup({ fleet: "edge", level: "leds" });
const REGISTRY = createRegistry();

/** The store's log, as far as replicas that were there have not read it. */
export class Log {
  readonly entries = new Map<string, Change>();
  readonly replicas: Replica[] = [];
  #position = 0;

  put(manifest: { kind: string; name: string } & Record<string, unknown>): void {
    const { kind: word, ...json } = manifest;
    const named = manifestKind(word);
    if (!named.ok) throw new Error(named.message);
    const read = messageFromJson(named.kind, { ...json, meta: { uid: "u", generation: "1" } });
    if (!read.ok) throw new Error(JSON.stringify(read.violations));
    this.commit([{ key: storeKey(named.kind, manifest.name), value: encodeStored(named.kind, read.message) }]);
  }

  remove(backend: string): void {
    this.commit([{ key: storeKey("backend", backend), value: undefined }]);
  }

  commit(ops: readonly { readonly key: string; readonly value: Uint8Array | undefined }[]): void {
    const revision = { epoch: 1, position: ++this.#position };
    const changes = ops.map((op) => ({ ...op, revision }));
    for (const change of changes) {
      if (change.value === undefined) this.entries.delete(change.key);
      else this.entries.set(change.key, change);
    }
    for (const { mirror } of this.replicas) mirror.fold({ kind: "commit", revision, at: 0, changes });
  }

  get revision() {
    return { epoch: 1, position: this.#position };
  }

  /** The addresses of the backends that proxies are to use. */
  wanted(): readonly string[] {
    const { mirror } = this.replicas[0] as Replica;
    const judge = backendJudge(mirror.get("fleet", "edge")?.backendNetworks ?? [], mirror.planeAddresses);
    const { backends } = fleetBackends(routingState(mirror, SERVICE), judge).routing;
    const told = backends.filter(({ status }) => status !== undefined);
    return told.map(({ backend }) => targetText(backend.target)).toSorted();
  }
}

export class Replica {
  readonly mirror = new Mirror();
  readonly cache = new ResourceCache();
  readonly streams = new Set<ProtocolStream>();
  duty: Duty | undefined;

  /** Knows the state as it is now, and nothing of what was before. */
  constructor(log: Log) {
    const entries = [...log.entries.values()].map((entry) => ({ ...entry, value: entry.value ?? new Uint8Array() }));
    this.mirror.fold({ kind: "state", entries, revision: log.revision, synced: true });
    this.cache.onChange((group, changes, publication) => {
      if (group !== GROUP) return;
      for (const stream of this.streams) {
        for (const [typeUrl, names] of changes) stream.publish(typeUrl, names, publication);
      }
    });
    const nothing = () => undefined;
    const clock = new FakeClock();
    new Publisher({
      mirror: this.mirror,
      sink: sinkInto(this.cache),
      clock,
      onFleetsChanged: nothing,
      onPublished: nothing,
    }).start();
    this.mirror.onFold(({ changed }) =>
      this.duty?.observe?.(changed.filter(({ kind }) => kind === "service" || kind === "backend")),
    );
  }

  /** One look of the duty; without memory, as after the role has moved here. */
  async act(log: Log, now: number, options: { forgets: boolean }): Promise<void> {
    if (options.forgets || this.duty === undefined) this.duty = deliverByLeds(this.mirror);
    const { batches } = await this.duty.plan(now);
    for (const ops of batches) {
      log.commit(ops.map((op) => ({ key: op.key, value: op.op === "put" ? op.value : undefined })));
    }
  }

  open(aggregated: boolean, tag: string): ProtocolStream {
    const stream = new ProtocolStream({
      variant: "delta",
      registry: REGISTRY,
      aggregated,
      nonceTags: { own: tag, shared: "s" },
      waitMs: 1000,
      overtakeMs: 1000,
      retry: { baseMs: 1000, maxMs: 300_000, spread: 0 },
      settleMs: 0,
      maxResponseBytes: 1_000_000,
      maxAbsent: 1,
      takesPartly: false,
      honoursTtl: true,
    });
    stream.attach(this.cache.served(GROUP));
    this.streams.add(stream);
    return stream;
  }
}

/** What Envoy does with an endpoint set and its collections: what it held stays until it is told otherwise. */
export class Envoy {
  /** Members by collection, of which nothing is forgotten by a lost stream. */
  readonly #held = new Map<string, Map<string, string>>();
  readonly #answered = new Set<string>();
  #named: readonly string[] = [];
  #version: string | undefined;
  #hosts: ReadonlySet<string> = new Set();
  #replica: Replica | undefined;
  #main: ProtocolStream | undefined;
  readonly #members = new Map<string, ProtocolStream>();
  #tags = 0;

  get connected(): Replica | undefined {
    return this.#replica;
  }

  /** The addresses that it sends requests to. */
  get hosts(): readonly string[] {
    return [...this.#hosts].toSorted();
  }

  disconnect(): void {
    for (const stream of [this.#main, ...this.#members.values()]) if (stream) this.#replica?.streams.delete(stream);
    this.#main = undefined;
    this.#members.clear();
    this.#replica = undefined;
  }

  connect(replica: Replica): void {
    this.disconnect();
    this.#replica = replica;
    this.#main = replica.open(true, `m${this.#tags++}-`);
    const held = new Map(this.#version === undefined ? [] : [[SERVICE, this.#version]]);
    this.#main.receiveDelta(request(ENDPOINT_TYPE, { subscribe: [SERVICE], initialVersions: held }), 0);
    for (const collection of this.#named) this.#ask(collection);
  }

  /** Reads and answers what there is to read. */
  exchange(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const stream of [this.#main, ...this.#members.values()]) {
        for (const send of stream?.flush(0, () => undefined).sends ?? []) {
          moved = true;
          if (send.typeUrl === ENDPOINT_TYPE) this.#takeSet(send.resources[0] as CachedResource | undefined);
          else this.#takeMembers(send.resources as readonly CachedResource[], send.removed);
          stream?.receiveDelta(request(send.typeUrl, { nonce: send.nonce }), 0);
        }
      }
    }
  }

  #takeSet(set: CachedResource | undefined): void {
    if (set?.body === undefined) return;
    this.#version = set.version;
    const named = set.references.map(({ name }) => name);
    for (const collection of this.#named) {
      if (named.includes(collection)) continue;
      const stream = this.#members.get(collection);
      if (stream) this.#replica?.streams.delete(stream);
      this.#members.delete(collection);
      this.#held.delete(collection);
      this.#answered.delete(collection);
    }
    const fresh = named.filter((name) => !this.#named.includes(name));
    this.#named = named;
    for (const collection of fresh) this.#ask(collection);
    if (named.length > 0) this.#settle();
    else this.#hosts = wholeSet(set.body);
  }

  #takeMembers(present: readonly CachedResource[], removed: readonly string[]): void {
    for (const { name, body } of present) {
      const address = hostOf(fromBinary(LbEndpointSchema, body ?? new Uint8Array()));
      this.#heldIn(name).set(name, address);
    }
    for (const name of removed) this.#heldIn(name).delete(name);
    this.#settle();
  }

  #heldIn(member: string): Map<string, string> {
    const collection = `${member.slice(0, member.lastIndexOf("/"))}/*`;
    const held = this.#held.get(collection) ?? new Map<string, string>();
    this.#held.set(collection, held);
    this.#answered.add(collection);
    return held;
  }

  /** The hosts are exchanged when all collections have been answered, never one by one. */
  #settle(): void {
    if (!this.#named.every((name) => this.#answered.has(name))) return;
    this.#hosts = new Set(this.#named.flatMap((name) => [...(this.#held.get(name)?.values() ?? [])]));
  }

  #ask(collection: string): void {
    const stream = this.#replica?.open(false, `c${this.#tags++}-`);
    if (stream === undefined) return;
    this.#members.set(collection, stream);
    stream.receiveDelta(request(LEDS_TYPE, { subscribe: [collection] }), 0);
  }
}

function hostOf({ hostIdentifier: host }: LbEndpoint): string {
  const address = host.case === "endpoint" ? host.value.address?.address : undefined;
  if (address?.case !== "socketAddress") throw new Error("not an address");
  return `${address.value.address}:${address.value.portSpecifier.value}`;
}

/** The addresses of an endpoint set that holds them all. */
function wholeSet(body: Uint8Array): ReadonlySet<string> {
  const { endpoints } = fromBinary(ClusterLoadAssignmentSchema, body);
  return new Set(endpoints.flatMap(({ lbEndpoints }) => lbEndpoints.map(hostOf)));
}

function request(
  typeUrl: string,
  more: { subscribe?: readonly string[]; initialVersions?: ReadonlyMap<string, string>; nonce?: string },
) {
  const { subscribe = [], initialVersions = new Map<string, string>(), nonce = "" } = more;
  return { typeUrl, subscribe, unsubscribe: [], initialVersions, nonce, error: undefined };
}
