/** An xDS server with one real Envoy behind it, for tests of what the two do together. */
import {
  LocalRefusalMemory,
  ResourceCache,
  type Transaction,
  type XdsLimits,
  XdsServer,
} from "../../../src/xds/server/library.ts";
import { type Backend, startBackend } from "../../support/backend.ts";
import { type Envoy, startEnvoy } from "../../support/envoy.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { send } from "../../support/traffic.ts";
import { adsBootstrap, type Bootstrap } from "./ads-bootstrap.ts";

/** The Envoys and the variants that everything is tried with. */
export const MATRIX = [
  { version: "1.40.0", protocol: "delta" },
  { version: "1.40.0", protocol: "sotw" },
  { version: "1.36.4", protocol: "delta" },
  { version: "1.36.4", protocol: "sotw" },
] as const;

type Sent = { readonly typeUrl: string; readonly resources: number; readonly removed: number };

/** A server with one Envoy behind it, whose stream can be lost and come back. */
export class Bench implements AsyncDisposable {
  readonly cache = new ResourceCache();
  readonly refusals = new LocalRefusalMemory();
  readonly held = new Set<string>();
  limits: Partial<XdsLimits> = {};
  readonly sent: Sent[] = [];
  readonly nacks: { names: readonly string[]; message: string }[] = [];
  readonly firstTypes: string[] = [];
  readonly backends: Backend[] = [];
  readonly listenPort: number;
  readonly #xdsPort: number;
  #refuses = false;
  server: XdsServer | undefined;
  envoy: Envoy | undefined;

  constructor(ports: { listen: number; xds: number }) {
    this.listenPort = ports.listen;
    this.#xdsPort = ports.xds;
  }

  get url(): string {
    return `http://127.0.0.1:${this.listenPort}/`;
  }

  async serve(): Promise<void> {
    this.sent.length = 0;
    this.firstTypes.length = 0;
    this.server = new XdsServer({
      cache: this.cache,
      groupOf: () => (this.#refuses ? { refuse: "for a test" } : "g"),
      refusals: this.refusals,
      limits: this.limits,
      hold: (_client, { typeUrl, name }) => (this.held.has(`${typeUrl} ${name}`) ? "test" : undefined),
    });
    this.server.on("sent", (_client, sent) => this.sent.push(sent));
    this.server.on("nack", (_client, nack) => this.nacks.push(nack));
    this.server.on("subscribe", (_client, { typeUrl }) => this.firstTypes.push(typeUrl));
    await this.server.listen(`127.0.0.1:${this.#xdsPort}`);
  }

  /** As a crash of the plane would: streams end, and another server takes over. */
  async restart(change?: (tx: Transaction) => void): Promise<void> {
    await this.server?.stop({ graceMs: 200 });
    if (change) this.update(change);
    await this.serve();
  }

  /** Ends the proxy's stream from this side; what happens meanwhile is done before it may come back. */
  async cut(meanwhile: () => void): Promise<void> {
    this.#refuses = true;
    this.server?.regroup();
    meanwhile();
    this.firstTypes.length = 0;
    this.#refuses = false;
    await eventually(
      () => this.firstTypes.length,
      (count) => count > 0,
      { what: "the proxy is back" },
    );
  }

  update(change: (tx: Transaction) => void): number {
    return this.cache.update("g", change);
  }

  /** Clusters by name, each with one backend of the same name. */
  async backend(name: string): Promise<number> {
    const backend = await startBackend(name);
    this.backends.push(backend);
    return backend.port;
  }

  async answeredBy(name: string): Promise<void> {
    await eventually(
      () => send({ url: this.url }),
      ({ backend }) => backend === name,
      { what: `${name} answers` },
    );
  }

  async settled(): Promise<void> {
    await eventually(
      () => this.server?.clients().map(({ oldestPending, types }) => oldestPending === undefined && types.length > 0),
      (settled) => settled?.length === 1 && settled[0] === true,
      { what: "the proxy is settled", timeoutMs: 10_000 },
    );
  }

  async stat(name: string): Promise<number> {
    return (await this.envoy?.stats())?.get(name) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.envoy?.kill();
    await this.server?.stop({ graceMs: 100 });
    for (const backend of this.backends) await backend.stop();
  }
}

/** @param adapt What differs in the bootstrap. */
export async function startBench(
  version: string,
  protocol: "delta" | "sotw",
  first: (bench: Bench) => Promise<void>,
  adapt: (bootstrap: Bootstrap) => object = (bootstrap) => bootstrap,
): Promise<Bench> {
  const xds = await freePort();
  const bench = new Bench({ listen: await freePort(), xds });
  await first(bench);
  await bench.serve();
  const bootstrap = adsBootstrap({ xds: `127.0.0.1:${xds}`, nodeId: "n1", cluster: "g", protocol });
  bench.envoy = await startEnvoy({ bootstrap: adapt(bootstrap), version });
  return bench;
}
