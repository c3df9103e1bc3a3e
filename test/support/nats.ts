/** Real nats-servers of a test: one, or three that form a cluster. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { provideNatsServer } from "../../scripts/components/nats-server.ts";
import { type Child, startChild } from "./child.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { tempFolder } from "./temp-folder.ts";

export interface NatsServer {
  readonly name: string;
  readonly url: string;
  /** Where it tells about itself over HTTP. */
  readonly monitor: string;
  readonly child: Child;
  signal(signal: NodeJS.Signals): void;
  /** Kills it and waits for its end. */
  kill(): Promise<void>;
  /** Starts it again with the same data. */
  restart(): Promise<void>;
}

export interface NatsCluster extends AsyncDisposable {
  readonly servers: readonly NatsServer[];
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

export interface NatsPorts {
  readonly client: number;
  /** On loopback, and so is `monitor`. */
  readonly cluster: number;
  readonly monitor: number;
}

export interface NatsClusterOptions {
  readonly size: 1 | 3;
  /** Where clients reach them; on loopback unless it is given. */
  readonly host?: string;
  /** More lines of the configuration of each. */
  readonly config?: string;
  /** The whole configuration of each, instead of ours. */
  readonly configOf?: (place: NatsPlace) => string;
}

/** Where one server of a cluster is to be. */
export interface NatsPlace {
  readonly name: string;
  /** Its own folder. */
  readonly home: string;
  readonly host: string;
  readonly own: NatsPorts;
  /** Of all servers, its own too. */
  readonly ports: readonly NatsPorts[];
}

export async function startNats({
  size,
  host = "127.0.0.1",
  config = "",
  configOf,
}: NatsClusterOptions): Promise<NatsCluster> {
  const program = provideNatsServer(() => {}).path;
  const folder = tempFolder();
  const ports: NatsPorts[] = [];
  for (let i = 0; i < size; i++) {
    ports.push({ client: await freePort(), cluster: await freePort(), monitor: await freePort() });
  }
  const servers = ports.map((own, i) => {
    const home = join(folder.path, `n${i + 1}`);
    mkdirSync(home, { recursive: true });
    const file = join(home, "nats.conf");
    const place = { name: `n${i + 1}`, home, host, own, ports };
    writeFileSync(file, configOf?.(place) ?? ownConfig(place, config));
    return new Server({ program, file, home, name: `n${i + 1}`, host, ports: own });
  });
  for (const server of servers) server.start();
  await Promise.all(servers.map((server) => server.isReady()));
  const stop = async () => {
    await Promise.all(servers.map((server) => server.kill()));
    folder[Symbol.dispose]();
  };
  return { servers, urls: servers.map(({ url }) => url), stop, [Symbol.asyncDispose]: stop };
}

/** Lets a test do with the streams what their operators do. */
export async function administer<T>(nats: NatsCluster, run: (api: JetStreamManager) => Promise<T>): Promise<T> {
  const connection = await connect({ servers: [...nats.urls] });
  try {
    return await run(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
}

class Server implements NatsServer {
  readonly name: string;
  readonly url: string;
  readonly monitor: string;
  readonly #options: { program: string; file: string; home: string; name: string; host: string; ports: NatsPorts };
  #child: Child | undefined;

  constructor(options: { program: string; file: string; home: string; name: string; host: string; ports: NatsPorts }) {
    this.#options = options;
    this.name = options.name;
    this.url = `nats://${options.host}:${options.ports.client}`;
    this.monitor = `http://127.0.0.1:${options.ports.monitor}`;
  }

  get child(): Child {
    if (this.#child === undefined) throw new Error(`${this.name} is not started`);
    return this.#child;
  }

  start(): void {
    const { program, file, home, name } = this.#options;
    this.#child = startChild({ name, program, args: ["-c", file], logFile: join(home, "log") });
  }

  async isReady(): Promise<void> {
    await eventually(
      async () => (await fetch(`${this.monitor}/healthz`)).status,
      (status) => status === 200,
      { what: `${this.name} is ready`, timeoutMs: 30_000, explain: () => this.child.logTail() },
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.child.signal(signal);
  }

  async kill(): Promise<void> {
    this.child.signal("SIGKILL");
    await this.child.exited;
  }

  async restart(): Promise<void> {
    this.start();
    await this.isReady();
  }
}

function ownConfig({ name, home, host, own, ports }: NatsPlace, config: string): string {
  const routes = ports.map(({ cluster }) => `nats-route://127.0.0.1:${cluster}`).join(", ");
  const cluster = `cluster { name: test, listen: "127.0.0.1:${own.cluster}", routes: [ ${routes} ], no_advertise: true }`;
  return `
    server_name: ${name}
    listen: "${host}:${own.client}"
    http: "127.0.0.1:${own.monitor}"
    jetstream { store_dir: "${home}", max_file_store: 2GB, max_memory_store: 64MB, sync_interval: always }
    ${ports.length > 1 ? cluster : ""}
    ${config}
  `;
}
