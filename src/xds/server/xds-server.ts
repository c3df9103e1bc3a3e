import { EventEmitter } from "node:events";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { Registry } from "prom-client";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { Containment } from "../../runtime/containment.ts";
import { descriptorLimit } from "../../runtime/descriptor-limit.ts";
import { type Listener, listenOn } from "../../runtime/listener.ts";
import { type Logger, silentLogger } from "../../runtime/logger.ts";
import { type Random, systemRandom } from "../../runtime/random.ts";
import type { Report, Send } from "../protocol/events.ts";
import { lostVerdicts, oldestOwed } from "../protocol/lost-verdicts.ts";
import type { ResourceKey } from "../protocol/resource.ts";
import { createRegistry, type ResourceType } from "../protocol/resource-types.ts";
import { SharedTables } from "../protocol/shared-tables.ts";
import type { TypeReadings } from "../protocol/type-state.ts";
import type { ClientRef, ClientStatus, ServedClient } from "./client-status.ts";
import { type ClientStatusHost, clientStatusService } from "./client-status-service.ts";
import { Connections } from "./connections.ts";
import { Deadlines } from "./deadlines.ts";
import { ResponseEncoder } from "./encode-response.ts";
import { FlushQueue } from "./flush-queue.ts";
import { grpcOptions } from "./grpc-options.ts";
import { HeldBytes } from "./held-bytes.ts";
import { Identities } from "./identities.ts";
import type { LimitMet } from "./limit-met.ts";
import { DEFAULT_LIMITS, type RefusingLimit, type XdsLimits } from "./limits.ts";
import { LostVerdictMemory } from "./lost-verdict-memory.ts";
import { NameLists } from "./name-lists.ts";
import type { NodeIdentity } from "./node-identity.ts";
import type { Peer } from "./peer.ts";
import { LocalRefusalMemory, type RefusalMemory } from "./refusal-memory.ts";
import type { ResourceCache } from "./resource-cache.ts";
import { resourceJson } from "./resource-json.ts";
import { type DiscoveryMethod, discoveryServices } from "./services.ts";
import { StreamDriver } from "./stream-driver.ts";
import { StreamGroups } from "./stream-groups.ts";
import type { Placement, StreamHost } from "./stream-host.ts";
import { type DiscoveryCall, directTransport, publicTransport, type TransportOf } from "./stream-transport.ts";
import { tryDirectTransport } from "./try-direct-transport.ts";

export type XdsServerOptions = {
  readonly cache: ResourceCache;
  /** Decides where a stream belongs, from what the client says about itself and its certificate. A string is a group. */
  readonly groupOf: (node: NodeIdentity, peer: Peer) => Placement | string;
  /** A reason to accept no new stream just now: its client is told `UNAVAILABLE`, and comes back here or elsewhere. */
  readonly admit?: () => string | undefined;
  /**
   * A reason to keep a resource back from a client, requested for everything due; `version` is empty for a removal.
   * What is held stays held until its content changes or `recheckHolds` is called.
   */
  readonly hold?: (client: ServedClient, resource: ResourceKey, version: string) => string | undefined;
  /**
   * Awaited before a stream's first answer. While it rejects, clients are sent only what cannot take them back, since
   * they hold nothing of it; the rest is held as `store_unreachable` until `recheckHolds`.
   */
  readonly fence?: (signal: AbortSignal) => Promise<void>;
  /** Default: in memory. */
  readonly refusals?: RefusalMemory;
  /** The server's identifier, for `control_plane.identifier` and `system_version_info`. */
  readonly identifier?: () => string;
  /** Serves the client status service (CSDS) to peers for which it returns true; without it, there is no such service. */
  readonly clientStatus?: (peer: Peer) => boolean;
  /** Types in addition to the built-in ones; they come last in order. */
  readonly types?: readonly ResourceType[];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  readonly limits?: Partial<XdsLimits>;
  /** Called for each stream that was ended, and each connection that was refused, because of a limit. */
  readonly onLimit?: (limit: RefusingLimit) => void;
  /** Contains faults that one client's input causes. Default: they are logged. */
  readonly containment?: Containment;
};

export type XdsServerEvents = {
  open: [client: ClientRef];
  /** `owed` is the oldest publication that the client has not acknowledged, including what it refuses. */
  close: [client: ClientRef, owed: number | undefined];
  subscribe: [client: ClientRef, subscription: Extract<Report, { kind: "subscribe" }>];
  sent: [
    client: ClientRef,
    sent: { typeUrl: string; nonce: string; resources: number; removed: number; bytes: number },
  ];
  /** `tookMs` is the time since the response was sent. */
  ack: [client: ClientRef, ack: { typeUrl: string; nonce: string; names: readonly string[]; tookMs: number }];
  nack: [
    client: ClientRef,
    nack: { typeUrl: string; nonce: string; names: readonly string[]; code: number; message: string },
  ];
  /** A resource went out although what it waited for had not been acknowledged in time. */
  late: [client: ClientRef, late: Extract<Report, { kind: "late" }>];
  /** What is settled on a stream may have changed: compare `oldestPending`. */
  progress: [client: ClientRef, oldestPending: number | undefined];
  /** A stream is kept silent, for a reason. */
  silent: [client: ClientRef, reason: string];
};

/** An xDS management server: serves every streaming discovery service, SotW and delta, from a `ResourceCache`. */
export class XdsServer extends EventEmitter<XdsServerEvents> {
  readonly #options: XdsServerOptions;
  readonly #limits: XdsLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #grpc: Server;
  readonly #host: StreamHost<StreamDriver>;
  #transportOf: TransportOf = publicTransport;
  readonly #drivers = new Map<string, StreamDriver>();
  readonly #groups: StreamGroups<StreamDriver>;
  readonly #identities = new Identities();
  readonly #toFlush: FlushQueue<StreamDriver>;
  readonly #containment: Containment;
  readonly #connections: Connections;
  readonly #listeners: Listener[] = [];
  readonly #unsubscribe: () => void;

  constructor(options: XdsServerOptions) {
    super();
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#log = (options.log ?? silentLogger).child({ component: "xds" });
    this.#containment = options.containment ?? containmentOf(this.#clock, this.#log);
    this.#connections = new Connections({
      max: this.#limits.maxConnections,
      descriptors: descriptorLimit(),
      clock: this.#clock,
      log: this.#log,
      onLimit: () => options.onLimit?.("maxConnections"),
    });
    this.#toFlush = new FlushQueue(this.#clock, (driver, written) => this.#flush(driver, written));
    this.#host = this.#createHost();
    this.#groups = new StreamGroups((group) => options.cache.view(group));
    this.#grpc = new Server(grpcOptions(this.#limits));
    for (const service of discoveryServices((call, method) => this.#accept(call, method))) {
      this.#grpc.addService(...service);
    }
    if (options.clientStatus) this.#grpc.addService(...clientStatusService(this.#statusHost(options.clientStatus)));
    this.#unsubscribe = options.cache.onChange((group, changes, publication) => {
      for (const driver of this.#groups.publish(group, changes, publication)) this.#toFlush.add(driver);
    });
  }

  /**
   * Starts listening; call it again for further addresses. Returns the bound `host:port`.
   *
   * @throws Error when the address cannot be bound
   */
  async listen(address: string, credentials: ServerCredentials = ServerCredentials.createInsecure()): Promise<string> {
    await this.#chooseTransport();
    const colon = address.lastIndexOf(":");
    const host = address.slice(0, colon);
    const injector = this.#grpc.createConnectionInjector(credentials);
    const listener = await listenOn(host.replace(/^\[(.*)\]$/, "$1"), Number(address.slice(colon + 1)), {
      accept: (socket) => {
        if (this.#connections.admit(socket)) injector.injectConnection(socket);
      },
      failed: (error) => this.#containment.note("xds", `a connection to ${address}`, error),
    });
    this.#listeners.push(listener);
    return `${host}:${listener.port}`;
  }

  /** Asks `groupOf` again for every open stream. */
  regroup(): void {
    for (const driver of [...this.#drivers.values()]) driver.regroup();
  }

  /** Asks `hold` again for everything that is held, and tries each failed fence again. */
  recheckHolds(): void {
    for (const driver of this.#drivers.values()) driver.recheckHolds();
  }

  /** Ends the open streams, each at its own moment within `overMs`, with a status that makes clients come back elsewhere. */
  shed({ overMs, reason }: { overMs: number; reason: string }): void {
    for (const driver of this.#drivers.values()) {
      this.#clock.after(this.#random.next() * overMs, () => driver.stop(reason));
    }
  }

  /** Every open stream, as of now. */
  clients(): readonly ClientStatus[] {
    return [...this.#drivers.values()].map((driver) => driver.describe());
  }

  /** One open stream, as of now. */
  client(streamId: string): ClientStatus | undefined {
    return this.#drivers.get(streamId)?.describe();
  }

  /** The oldest publication with anything due, in flight or held on an open stream, whether or not it was written to yet. */
  oldestPending(streamId: string): number | undefined {
    return this.#drivers.get(streamId)?.oldestPending();
  }

  /**
   * The collections named in what an open stream was sent, and those that it asks for. A client asks for them on separate
   * streams, and has what it was sent only when it has asked for all that are named.
   */
  collections(streamId: string): { readonly named: readonly string[]; readonly asked: readonly string[] } {
    return this.#drivers.get(streamId)?.collections() ?? { named: [], asked: [] };
  }

  /** What an open stream was last sent under a name, as JSON without secrets; undefined if nothing was sent. */
  content(streamId: string, typeUrl: string, name: string): string | undefined {
    const known = this.#drivers.get(streamId)?.typeState(typeUrl)?.sent.get(name);
    const body = known && "body" in known && known.body instanceof Uint8Array ? known.body : undefined;
    return body && JSON.stringify(resourceJson(typeUrl, name, body));
  }

  /**
   * Sends an open stream's client what it should have again, of one type or of all, changed or not, including what it
   * refused. Returns how many resources that is.
   */
  resend(streamId: string, typeUrl?: string): number {
    return this.#drivers.get(streamId)?.resend(typeUrl) ?? 0;
  }

  /** Ends all streams, with a status that makes clients come back, and stops listening. */
  async stop({ graceMs = 1000 }: { graceMs?: number } = {}): Promise<void> {
    this.#unsubscribe();
    for (const listener of this.#listeners) listener.close();
    for (const driver of [...this.#drivers.values()]) driver.stop();
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(graceMs, () => {
        this.#grpc.forceShutdown();
        resolve();
      });
      this.#grpc.tryShutdown(() => {
        cancel();
        resolve();
      });
    });
  }

  async #chooseTransport(): Promise<void> {
    directTransportWorks ??= tryDirectTransport(this.#clock);
    if (await directTransportWorks) this.#transportOf = directTransport(this.#clock);
    else this.#log.warn({}, "grpc-js does not allow direct reads and writes: each response is copied per stream");
  }

  #createHost(): StreamHost<StreamDriver> {
    const { cache, groupOf, admit, hold, fence, refusals, identifier, types } = this.#options;
    const tables = new SharedTables();
    return {
      registry: createRegistry(types),
      limits: this.#limits,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      refusals: refusals ?? new LocalRefusalMemory(),
      lostVerdicts: new LostVerdictMemory(),
      encoder: new ResponseEncoder(this.#clock),
      nonceTag: `${this.#random.id().slice(0, 4)}-`,
      tables,
      reading: { limits: this.#limits, lists: new NameLists(tables) },
      held: new HeldBytes(this.#limits),
      deadlines: new Deadlines({
        clock: this.#clock,
        ms: this.#limits.requestMs,
        onExpired: () => this.#options.onLimit?.("requestMs"),
      }),
      transportOf: (...args) => this.#transportOf(...args),
      place: (node, peer) => {
        const placement = groupOf(node, peer);
        return typeof placement === "string" ? { group: placement } : placement;
      },
      unavailable: admit ?? (() => undefined),
      view: (group) => cache.view(group),
      hold: hold ?? (() => undefined),
      fence: fence ?? (() => Promise.resolve()),
      identifier: identifier ?? (() => "fairlead"),
      opened: (driver) => this.#opened(driver),
      closed: (driver, states) => this.#closed(driver, states),
      moved: (driver, from) => this.#groups.move(driver, from, driver.group),
      isDuplicate: (driver) => this.#identities.isDuplicate(driver),
      wake: (driver) => this.#wake(driver),
      sent: (driver, send, bytes) => this.#sent(driver, send, bytes),
      report: (driver, report) => this.#report(driver, report),
      limitMet: (_driver, { limit }: LimitMet) => this.#options.onLimit?.(limit),
      failed: (driver, thrown) => this.#failed(driver, thrown),
    };
  }

  #statusHost(mayAsk: (peer: Peer) => boolean): ClientStatusHost {
    return {
      ...this.#host,
      mayAsk,
      sources: () => this.#drivers.values(),
      limitMet: (limit) => this.#options.onLimit?.(limit),
      failed: (thrown) => this.#containment.note("xds", "a call of the client status service", thrown),
    };
  }

  #accept(call: DiscoveryCall, method: DiscoveryMethod): void {
    const streamId = this.#random.id().slice(0, 8);
    this.#containment.contain("xds", `stream ${streamId}`, () => new StreamDriver(this.#host, call, method, streamId));
  }

  #failed({ streamId, node }: StreamDriver, thrown: unknown): void {
    this.#containment.note("xds", `stream ${streamId} of node ${node.id}`, thrown);
  }

  #flush(driver: StreamDriver, written: () => void): boolean {
    try {
      const wrote = driver.flush(written);
      this.#tellProgress(driver);
      return wrote;
    } catch (thrown) {
      driver.refuse(thrown);
      return false;
    }
  }

  #opened(driver: StreamDriver): void {
    this.#drivers.set(driver.streamId, driver);
    this.#identities.add(driver);
    this.#log.info({ streamId: driver.streamId, nodeId: driver.node.id, peer: driver.peer.address }, "stream opened");
    if (this.#host.isDuplicate(driver)) {
      this.#log.warn({ streamId: driver.streamId, nodeId: driver.node.id }, "node id is in use on another stream");
    }
    this.emit("open", driver);
  }

  #closed(driver: StreamDriver, states: TypeReadings): void {
    if (!this.#drivers.delete(driver.streamId)) return;
    this.#host.lostVerdicts.keep(driver.node.id, lostVerdicts(states));
    this.#toFlush.delete(driver);
    this.#identities.delete(driver);
    this.#groups.move(driver, driver.group, undefined);
    this.#log.info({ streamId: driver.streamId, nodeId: driver.node.id }, "stream closed");
    this.#containment.contain("xds", `the end of stream ${driver.streamId}`, () => {
      this.emit("close", driver, oldestOwed(states));
    });
  }

  /** Streams are written to after the present turn, so that no publisher waits for any of them. */
  #wake(driver: StreamDriver): void {
    try {
      if (driver.isQuiet()) this.#tellProgress(driver);
      else this.#toFlush.add(driver);
    } catch (thrown) {
      driver.refuse(thrown);
    }
  }

  #tellProgress(driver: StreamDriver): void {
    const pending = driver.oldestPending();
    if (pending === driver.toldPending) return;
    driver.toldPending = pending;
    this.emit("progress", driver, pending);
  }

  #sent(driver: StreamDriver, send: Send, bytes: number): void {
    const { typeUrl, nonce } = send;
    this.#log.trace({ streamId: driver.streamId, typeUrl, nonce, bytes }, "response sent");
    this.emit("sent", driver, {
      typeUrl,
      nonce,
      bytes,
      resources: send.resources.length,
      removed: send.removed.length,
    });
  }

  #report(driver: StreamDriver, report: Report): void {
    if (report.kind === "ack") {
      const { nonce, items, sentAt } = report.flight;
      const tookMs = this.#clock.monotonic() - sentAt;
      this.emit("ack", driver, { typeUrl: report.typeUrl, nonce, names: [...items.keys()], tookMs });
    } else if (report.kind === "nack") {
      const { nonce, code, message, items } = report.refusal;
      const { streamId, node } = driver;
      const names = [...items.keys()];
      this.#log.warn(
        { streamId, nodeId: node.id, typeUrl: report.typeUrl, names: names.slice(0, 20), message },
        "response refused",
      );
      this.emit("nack", driver, { typeUrl: report.typeUrl, nonce, names, code, message });
    } else if (report.kind === "late") {
      const { resource, on, waitedMs } = report;
      this.#log.warn(
        { streamId: driver.streamId, nodeId: driver.node.id, resource, on, waitedMs },
        "wait met its bound",
      );
      this.emit("late", driver, report);
    } else if (report.kind === "subscribe") {
      this.emit("subscribe", driver, report);
    }
  }
}

/** Whether the direct transport works; tried once per process. */
let directTransportWorks: Promise<boolean> | undefined;

function containmentOf(clock: Clock, log: Logger): Containment {
  return new Containment({ clock, log, registry: new Registry() });
}
