/** A real Envoy as a child process, with its admin interface on a Unix socket. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ENVOY_VERSIONS, provideEnvoy } from "../../scripts/components/envoy.ts";
import { startChild } from "./child.ts";
import { eventually } from "./eventually.ts";
import { tempFolder } from "./temp-folder.ts";

export interface EnvoyOptions {
  /** JSON object or YAML text. The admin address is another one unless `adminAt` says so. */
  readonly bootstrap: object | string;
  readonly version?: string;
  /** Worker threads; with one, the order of a round robin is exact. */
  readonly concurrency?: number;
  readonly args?: readonly string[];
  /**
   * Where the admin interface is: a socket of the test's own by default; a TCP port of loopback, as bootstraps had it once;
   * or where the bootstrap says.
   */
  readonly adminAt?: "socket" | "port" | "bootstrap";
  /** Which process of a hot restart it is; those with one base belong together. By default none of any. */
  readonly hotRestart?: { readonly baseId: number; readonly epoch: number };
}

export interface Envoy extends AsyncDisposable {
  readonly pid: number;
  readonly version: string;
  /** Path of the admin interface's socket, or its `HOST:PORT`. */
  readonly admin: string;
  /** Resolves when `/ready` answers LIVE. */
  ready(timeoutMs?: number): Promise<void>;
  get(path: string): Promise<string>;
  post(path: string): Promise<string>;
  /** All counters and gauges whose name matches, by name. */
  stats(filter?: RegExp): Promise<Map<string, number>>;
  configDump(): Promise<EnvoyConfigDump>;
  clusters(): Promise<EnvoyClusters>;
  log(): string;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface EnvoyConfigDump {
  readonly configs: readonly Record<string, unknown>[];
}

export interface EnvoyClusters {
  readonly cluster_statuses?: readonly {
    readonly name: string;
    readonly host_statuses?: readonly {
      readonly address: { readonly socket_address: { readonly address: string; readonly port_value: number } };
      readonly weight: number;
      readonly health_status: Record<string, unknown>;
    }[];
  }[];
}

/** Starts Envoy and waits until its admin interface answers; it need not be ready. */
export async function startEnvoy(options: EnvoyOptions): Promise<Envoy> {
  const {
    bootstrap,
    version = ENVOY_VERSIONS.newest,
    concurrency = 1,
    args = [],
    adminAt = "socket",
    hotRestart,
  } = options;
  const binary = provideEnvoy({ version, orOther: false, progress: (line) => console.error(line) });
  const folder = tempFolder();
  const config = join(folder.path, typeof bootstrap === "string" ? "bootstrap.yaml" : "bootstrap.json");
  const adminFile = join(folder.path, "admin-address");
  writeFileSync(config, typeof bootstrap === "string" ? bootstrap : JSON.stringify(bootstrap));
  const address =
    adminAt === "port"
      ? { socket_address: { address: "127.0.0.1", port_value: 0 } }
      : { pipe: { path: join(folder.path, "admin.sock"), mode: 0o600 } };
  const admin = adminAt === "bootstrap" ? [] : ["--config-yaml", JSON.stringify({ admin: { address } })];
  const child = startChild({
    name: `envoy ${version}`,
    program: binary.path,
    args: [
      ...["-c", config, ...admin, "--admin-address-path", adminFile],
      ...(hotRestart === undefined
        ? ["--use-dynamic-base-id"]
        : ["--base-id", `${hotRestart.baseId}`, "--restart-epoch", `${hotRestart.epoch}`]),
      ...["--concurrency", String(concurrency), "--log-level", "info", ...args],
    ],
    logFile: join(folder.path, "envoy.log"),
  });
  const explain = () => child.logTail();

  const told = await eventually(
    () => {
      if (!child.running()) return "ended";
      return existsSync(adminFile) ? readFileSync(adminFile, "utf8") : "";
    },
    (found) => found !== "",
    { what: "Envoy tells its admin address", explain },
  );
  if (told === "ended") throw new Error(`Envoy ended at its start\n${explain()}`);

  const call = (method: string, path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const [host, port] = told.split(":");
      const place = told.startsWith("/") ? { socketPath: told } : { host, port };
      const asking = request({ ...place, method, path, agent: false }, (response) => {
        text(response).then(resolve, reject);
      });
      asking.on("error", reject);
      asking.end();
    });
  const end = async (stop: () => Promise<unknown>): Promise<void> => {
    await stop();
    folder[Symbol.dispose]();
  };
  const stop = () => end(() => child.stop(5_000));

  return {
    pid: child.pid,
    version: binary.version,
    admin: told,
    ready: async (timeoutMs = 30_000) => {
      const what = "Envoy is ready";
      await eventually(
        () => call("GET", "/ready"),
        (answer) => answer.trim() === "LIVE",
        { what, timeoutMs, explain },
      );
    },
    get: (path) => call("GET", path),
    post: (path) => call("POST", path),
    stats: async (filter) => parseStats(await call("GET", "/stats"), filter),
    configDump: async () => JSON.parse(await call("GET", "/config_dump?include_eds")) as EnvoyConfigDump,
    clusters: async () => JSON.parse(await call("GET", "/clusters?format=json")) as EnvoyClusters,
    log: () => child.log(),
    stop,
    kill: () =>
      end(async () => {
        child.signal("SIGKILL");
        await child.exited;
      }),
    [Symbol.asyncDispose]: stop,
  };
}

/** Lines of `/stats` read `name: 12`; histograms and text values are left out. */
function parseStats(lines: string, filter: RegExp = /./): Map<string, number> {
  const stats = new Map<string, number>();
  for (const line of lines.split("\n")) {
    const [, name, value] = /^(\S+): (\d+)$/.exec(line) ?? [];
    if (name !== undefined && filter.test(name)) stats.set(name, Number(value));
  }
  return stats;
}
