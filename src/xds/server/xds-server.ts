import { EventEmitter } from "node:events";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { descriptorLimit } from "../../runtime/descriptor-limit.ts";
import { type Listener, listenOn } from "../../runtime/listener.ts";
import type { ClientCollections } from "../protocol/collections.ts";
import type { ClientStatus } from "./client-status.ts";
import { clientStatusService } from "./client-status-service.ts";
import { Connections } from "./connections.ts";
import { grpcOptions } from "./grpc-options.ts";
import { OpenStreams } from "./open-streams.ts";
import type { XdsServerEvents } from "./server-events.ts";
import type { XdsServerOptions } from "./server-options.ts";
import { type DiscoveryMethod, discoveryServices } from "./services.ts";
import { StreamDriver } from "./stream-driver.ts";
import { createStreamHost, type StreamHost } from "./stream-host.ts";
import { type DiscoveryCall, directTransport } from "./stream-transport.ts";
import { tryDirectTransport } from "./try-direct-transport.ts";

/** An xDS management server: serves every streaming discovery service, SotW and delta, from a `ResourceCache`. */
export class XdsServer extends EventEmitter<XdsServerEvents> {
  readonly #grpc: Server;
  readonly #host: StreamHost;
  readonly #streams: OpenStreams<StreamDriver>;
  readonly #connections: Connections;
  readonly #listeners: Listener[] = [];
  readonly #unsubscribe: () => void;

  constructor(options: XdsServerOptions) {
    super();
    this.#host = createStreamHost(options, this);
    this.#streams = new OpenStreams(this.#host);
    const { limits, cache } = this.#host;
    this.#connections = new Connections(this.#host, descriptorLimit());
    this.#grpc = new Server(grpcOptions(limits));
    for (const service of discoveryServices((call, method) => this.#accept(call, method))) {
      this.#grpc.addService(...service);
    }
    const { clientStatus } = options;
    if (clientStatus) this.#grpc.addService(...clientStatusService(this.#host, this.#streams, clientStatus));
    this.#unsubscribe = cache.onChange((group, changes, publication) => {
      this.#streams.publish(group, changes, publication);
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
      failed: (error) => this.#host.containment.note("xds", `a connection to ${address}`, error),
    });
    this.#listeners.push(listener);
    return `${host}:${listener.port}`;
  }

  /** Asks `groupOf` again for every open stream. */
  regroup(): void {
    for (const stream of this.#streams.all()) stream.regroup();
  }

  /** Asks `hold` again for everything that is held, and tries each failed fence again. */
  recheckHolds(): void {
    for (const stream of this.#streams.all()) stream.recheckHolds();
  }

  /** Ends the open streams, each at its own moment within `overMs`, with a status that makes clients come back elsewhere. */
  shed({ overMs, reason }: { overMs: number; reason: string }): void {
    const { clock, random } = this.#host;
    for (const stream of this.#streams.all()) clock.after(random.next() * overMs, () => stream.stop(reason));
  }

  /** Every open stream, as of now. */
  clients(): readonly ClientStatus[] {
    return this.#streams.all().map((stream) => stream.describe());
  }

  /** One open stream, as of now; during the event `close` also the one that has ended. */
  client(streamId: string): ClientStatus | undefined {
    return this.#streams.get(streamId)?.describe();
  }

  /** The oldest publication with anything due, in flight or held on an open stream, whether or not it was written to yet. */
  oldestPending(streamId: string): number | undefined {
    return this.#streams.get(streamId)?.oldestPending();
  }

  /**
   * The collections named in what an open stream was sent, and those that it asks for. A client asks for them on separate
   * streams, and has what it was sent only when it has asked for all that are named.
   */
  collections(streamId: string): ClientCollections {
    return this.#streams.get(streamId)?.collections() ?? { named: [], asked: [] };
  }

  /**
   * Sends an open stream's client what it should have again, of one type or of all, changed or not, including what it
   * refused. Returns how many resources that is.
   */
  resend(streamId: string, typeUrl?: string): number {
    return this.#streams.get(streamId)?.resend(typeUrl) ?? 0;
  }

  /** Ends all streams, with a status that makes clients come back, and stops listening. */
  async stop({ graceMs = 1000 }: { graceMs?: number } = {}): Promise<void> {
    this.#unsubscribe();
    for (const listener of this.#listeners) listener.close();
    for (const stream of this.#streams.all()) stream.stop();
    await new Promise<void>((resolve) => {
      const cancel = this.#host.clock.after(graceMs, () => {
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
    const { clock, log } = this.#host;
    directTransportWorks ??= tryDirectTransport(clock);
    if (await directTransportWorks) this.#host.transportOf = directTransport(clock);
    else log.warn({}, "grpc-js does not allow direct reads and writes: each response is copied for each stream");
  }

  #accept(call: DiscoveryCall, method: DiscoveryMethod): void {
    const { random, containment } = this.#host;
    const streamId = random.id().slice(0, 8);
    const serve = () => new StreamDriver(this.#host, this.#streams, { call, method, streamId });
    containment.contain("xds", `stream ${streamId}`, serve);
  }
}

/** Whether the direct transport works; tried once per process. */
let directTransportWorks: Promise<boolean> | undefined;
