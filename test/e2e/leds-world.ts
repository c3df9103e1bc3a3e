/** A plane with one service of many backends, and proxies of several versions in one fleet, each behind a wire of its own. */
import { type AdminClient, connectAdmin } from "../../src/cli/admin-client.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { Service_EndpointDiscovery as EndpointDiscovery } from "../../src/gen/fairlead/admin/v1/service_pb.ts";
import { startBackend } from "../support/backend.ts";
import { type Envoy, startEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, type ManifestObject, manifest, routeTo, service } from "../support/manifest.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { acknowledged } from "../support/stack.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { Traffic } from "../support/traffic.ts";

const ZONES = ["a", "b", "c"];

export interface Member {
  /** Of loopback, all answered by one server. */
  readonly address: string;
  weight: number;
  zone: string;
  healthy: boolean;
}

interface Proxy {
  readonly envoy: Envoy;
  readonly wire: TcpProxy;
}

export class LedsWorld implements AsyncDisposable {
  /** What the plane was told, by id. */
  readonly members = new Map<string, Member>();
  readonly proxies: Proxy[] = [];
  readonly plane: Plane;
  readonly admin: AdminClient;
  readonly port: number;
  readonly #backendPort: number;
  readonly #disposables: AsyncDisposableStack;
  #made = 0;

  private constructor(parts: { plane: Plane; port: number; backendPort: number; disposables: AsyncDisposableStack }) {
    this.plane = parts.plane;
    this.port = parts.port;
    this.#backendPort = parts.backendPort;
    this.#disposables = parts.disposables;
    this.admin = connectAdmin(parts.plane.addresses.admin);
    parts.disposables.defer(() => this.admin.close());
  }

  static async start(count: number, spec: object = {}): Promise<LedsWorld> {
    const disposables = new AsyncDisposableStack();
    const server = disposables.use(await startBackend("one", { host: "0.0.0.0" }));
    const plane = disposables.use(await startPlane());
    const port = await freePort();
    const world = new LedsWorld({ plane, port, backendPort: server.port, disposables });
    await world.apply(fleet("edge"), listener("web", port), service("shop", spec), routeTo("shop"));
    await world.apply(...Array.from({ length: count }, () => world.join()));
    return world;
  }

  /** Proxies of one fleet listen on one port, which the kernel lets them share. */
  async addProxy(nodeId: string, options: { version?: string; sotw?: boolean } = {}): Promise<Envoy> {
    const { addresses } = this.plane;
    const wire = this.#disposables.use(await startTcpProxy(Number(addresses.xds.split(":").at(-1))));
    const identity = ["--node-id", nodeId, "--fleet", "edge", "--xds", `127.0.0.1:${wire.port}`];
    const bootstrap = await this.plane.mustCli("bootstrap", ...identity, ...(options.sotw === true ? ["--sotw"] : []));
    const { version } = options;
    const envoy = await startEnvoy({ bootstrap, concurrency: 2, ...(version !== undefined && { version }) });
    this.#disposables.use(envoy);
    await envoy.ready();
    this.proxies.push({ envoy, wire });
    return envoy;
  }

  traffic(): Traffic {
    return this.#disposables.use(new Traffic({ url: `http://127.0.0.1:${this.port}/` }, 8));
  }

  async apply(...objects: readonly ManifestObject[]): Promise<void> {
    await this.plane.mustApply(manifest(...objects));
  }

  /** A backend that is not there yet, as its manifest. */
  join(): ManifestObject {
    const n = this.#made++;
    const address = `127.1.${n >> 7}.${(n & 127) + 1}:${this.#backendPort}`;
    const member = { address, weight: 1, zone: ZONES[n % ZONES.length] ?? "", healthy: true };
    this.members.set(`b-${n}`, member);
    return this.manifestOf(`b-${n}`, member);
  }

  manifestOf(id: string, { address, weight, zone }: Member): ManifestObject {
    return backend(`shop/${id}`, address, { weight, locality: { zone } });
  }

  /** All proxies have acknowledged all that there is by now, and use just the hosts that they should. */
  async settled(what: string): Promise<void> {
    // After some refused connections, Envoy waits for up to 30 s before the next attempt, each stream for itself.
    const withinMs = 60_000;
    await eventually(
      async () =>
        (await this.admin.call(AdminService.method.listNodes, {})).nodes.filter((node) => node.connected).length,
      (connected) => connected === this.proxies.length,
      { what: `${what}: the proxies are connected`, timeoutMs: withinMs, everyMs: 100 },
    );
    await acknowledged(this.admin, "", withinMs);
    const wanted = [...this.members.values()].map(hostText).toSorted();
    for (const { envoy } of this.proxies) {
      await eventually(
        async () => difference(wanted, await hostsOf(envoy)),
        ({ missing, stale }) => missing.length + stale.length === 0,
        { what: `${what}: Envoy ${envoy.version} uses the hosts that it should`, timeoutMs: 5000, everyMs: 50 },
      );
    }
  }

  /** Waits until the plane delivers the service so. */
  async delivered(by: "EDS" | "LEDS"): Promise<void> {
    await eventually(
      () => this.admin.call(AdminService.method.getService, { name: "shop" }),
      ({ status }) => status?.endpointDiscovery === EndpointDiscovery[by],
      { what: `the service is delivered by ${by}` },
    );
  }

  /** How many streams a proxy has to its plane: one, and one for each collection. */
  async streamsOf(envoy: Envoy): Promise<number | undefined> {
    const name = "cluster.fairlead-xds.upstream_rq_active";
    return (await envoy.stats()).get(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disposables.disposeAsync();
  }
}

function hostText({ address, weight, zone, healthy }: Member): string {
  return `${address} weight ${weight} in ${zone} ${healthy ? "HEALTHY" : "UNHEALTHY"}`;
}

interface HostStatus {
  readonly address: { readonly socket_address: { readonly address: string; readonly port_value: number } };
  readonly weight: number;
  readonly locality?: { readonly zone?: string };
  readonly health_status: { readonly eds_health_status?: string };
}

async function hostsOf(envoy: Envoy): Promise<string[]> {
  const { cluster_statuses: clusters = [] } = await envoy.clusters();
  const hosts = (clusters.find(({ name }) => name === "shop")?.host_statuses ?? []) as readonly HostStatus[];
  return hosts.map(({ address: { socket_address: at }, weight, locality, health_status: health }) => {
    const address = `${at.address}:${at.port_value}`;
    return hostText({ address, weight, zone: locality?.zone ?? "", healthy: health.eds_health_status !== "UNHEALTHY" });
  });
}

function difference(wanted: readonly string[], found: readonly string[]) {
  return {
    missing: wanted.filter((host) => !found.includes(host)),
    stale: found.filter((host) => !wanted.includes(host)),
    twice: found.length - new Set(found).size,
  };
}
