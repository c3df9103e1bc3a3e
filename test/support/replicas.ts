/** Several planes that share one bucket on real nats-servers, and proxies that may be connected to any of them. */
import { connectAdmin } from "../../src/cli/admin-client.ts";
import { type Envoy, startEnvoy } from "./envoy.ts";
import { eventually } from "./eventually.ts";
import { type ManifestObject, manifest } from "./manifest.ts";
import { type NatsCluster, startNats } from "./nats.ts";
import { type Plane, startPlane } from "./plane.ts";
import { acknowledged } from "./stack.ts";

export interface Replicas extends AsyncDisposable {
  readonly nats: NatsCluster;
  /** `plane-1`, `plane-2` and so on. */
  readonly planes: readonly Plane[];
  /** An Envoy of the fleet `edge` that knows all the planes. */
  startEnvoy(nodeId: string): Promise<Envoy>;
  /** The plane that a proxy is connected to, and of which it has everything. */
  planeOf(nodeId: string): Promise<Plane>;
}

export async function startReplicas(options: { readonly planes: number; readonly servers: 1 | 3 }): Promise<Replicas> {
  const disposables = new AsyncDisposableStack();
  try {
    const nats = disposables.use(await startNats({ size: options.servers }));
    const names = Array.from({ length: options.planes }, (_, i) => `plane-${i + 1}`);
    const planes = await Promise.all(
      names.map(async (replica) => disposables.use(await startPlane({ nats: nats.urls, replica }))),
    );
    return {
      nats,
      planes,
      startEnvoy: async (nodeId) => {
        const xds = planes.map(({ addresses }) => addresses.xds).join(",");
        const identity = ["--node-id", nodeId, "--fleet", "edge", "--xds", xds];
        const [plane] = planes;
        const envoy = disposables.use(
          await startEnvoy({ bootstrap: (await plane?.mustCli("bootstrap", ...identity)) ?? "" }),
        );
        await envoy.ready();
        return envoy;
      },
      planeOf: (nodeId) => planeOf(planes, nodeId),
      [Symbol.asyncDispose]: () => disposables.disposeAsync(),
    };
  } catch (error) {
    await disposables.disposeAsync();
    throw error;
  }
}

/** Writes objects through one plane and waits until the proxies of another have acknowledged them. */
export async function applyAcross(from: Plane, to: Plane, ...objects: readonly ManifestObject[]): Promise<void> {
  const { revision } = JSON.parse(await from.mustApply(manifest(...objects), "-o", "json")) as { revision: string };
  const admin = connectAdmin(to.addresses.admin);
  try {
    await acknowledged(admin, revision);
  } finally {
    admin.close();
  }
}

interface NodeLine {
  readonly id: string;
  readonly connected?: boolean;
  readonly replica?: string;
  readonly lagMs?: string;
}

/** The plane of these, `plane-1` and so on, that a proxy is connected to, and of which it has everything. */
export async function planeOf(planes: readonly Plane[], nodeId: string): Promise<Plane> {
  const find = async () => {
    for (const [i, plane] of planes.entries()) {
      const { code, stdout } = await plane.cli("nodes", "-o", "json");
      if (code !== 0) continue;
      const node = (JSON.parse(stdout) as NodeLine[]).find(({ id }) => id === nodeId);
      if (node?.connected && node.replica === `plane-${i + 1}` && Number(node.lagMs ?? 0) === 0) return plane;
    }
    return undefined;
  };
  const found = await eventually(find, (plane) => plane !== undefined, {
    what: `${nodeId} is connected to a plane and up to date`,
    timeoutMs: 30_000,
  });
  if (found === undefined) throw new Error("unreachable");
  return found;
}
