/** The whole product on one machine: a plane, one real Envoy of the fleet `edge`, and its listener `web`. */
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type AdminClient, connectAdmin } from "../../src/cli/admin-client.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import {
  WaitForRevisionResponse_Outcome as Outcome,
  type WaitForRevisionResponse,
} from "../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { type Envoy, startEnvoy } from "./envoy.ts";
import { freePort } from "./free-port.ts";
import { fleet, listener, type ManifestObject, manifest } from "./manifest.ts";
import { type Plane, startPlane } from "./plane.ts";

export const NODE_ID = "edge-1";

export interface StackOptions {
  /** Applied before Envoy starts, beside the fleet `edge` and the listener `web`. */
  readonly objects: readonly ManifestObject[];
  readonly envoyVersion?: string;
  readonly concurrency?: number;
  /** More of Envoy's own options. */
  readonly args?: readonly string[];
  readonly protocol?: "delta" | "sotw";
}

export interface Stack extends AsyncDisposable {
  readonly plane: Plane;
  readonly envoy: Envoy;
  readonly admin: AdminClient;
  /** Port of the listener `web`. */
  readonly port: number;
  url(path?: string): string;
  /** Applies objects and waits until Envoy has acknowledged them. */
  apply(...objects: readonly ManifestObject[]): Promise<void>;
  /** Resolves when Envoy has acknowledged all that was due at the revision; fails the test otherwise. */
  acknowledged(revision: string): Promise<void>;
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const { objects, envoyVersion, concurrency, args = [], protocol = "delta" } = options;
  const port = await freePort();
  const disposables = new AsyncDisposableStack();
  try {
    const plane = disposables.use(await startPlane());
    const admin = connectAdmin(plane.addresses.admin);
    disposables.defer(() => admin.close());
    await plane.mustApply(manifest(fleet("edge"), listener("web", port), ...objects));

    const identity = ["--node-id", NODE_ID, "--fleet", "edge", "--xds", plane.addresses.xds];
    const bootstrap = await plane.mustCli("bootstrap", ...identity, ...(protocol === "sotw" ? ["--sotw"] : []));
    const envoy = disposables.use(
      await startEnvoy({
        bootstrap,
        args,
        ...(envoyVersion !== undefined && { version: envoyVersion }),
        ...(concurrency !== undefined && { concurrency }),
      }),
    );
    await envoy.ready();
    return {
      plane,
      envoy,
      admin,
      port,
      url: (path = "/") => `http://127.0.0.1:${port}${path}`,
      apply: async (...more) => {
        await plane.mustApply(manifest(...more), "--wait");
      },
      acknowledged: (revision) => acknowledged(admin, revision),
      [Symbol.asyncDispose]: () => disposables.disposeAsync(),
    };
  } catch (error) {
    await disposables.disposeAsync();
    throw error;
  }
}

/** Resolves when all proxies of this plane have acknowledged all that was due at the revision; fails the test otherwise. */
export async function acknowledged(admin: AdminClient, revision: string, withinMs = 30_000): Promise<void> {
  let last: WaitForRevisionResponse | undefined;
  const request = { revision, timeout: durationFromMs(withinMs) };
  for await (const answer of admin.stream(AdminService.method.waitForRevision, request)) {
    last = answer;
    if (answer.outcome !== Outcome.WAITING) break;
  }
  if (last?.outcome !== Outcome.REACHED) {
    const pending = last?.pending.map(({ id, state, message }) => `${id} ${state} ${message}`).join("; ");
    throw new Error(`revision ${revision} is not acknowledged, outcome ${last?.outcome}: ${pending}`);
  }
}
