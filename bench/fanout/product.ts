/** The whole product as a server of the benchmark: `fairlead up`, filled and changed through its admin API. */
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { output } from "../../scripts/components/search.ts";
import { type AdminClient, connectAdmin } from "../../src/cli/admin-client.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import type { AnyObjectSchema } from "../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { eventually } from "../../test/support/eventually.ts";
import { startNats } from "../../test/support/nats.ts";
import { type Plane, startPlane } from "../../test/support/plane.ts";
import { profiling, SERVER_CORE } from "./programs.ts";
import type { RestartableServer } from "./server-under-test.ts";
import { changeAddress, ordinaryAddress } from "./servers/content.ts";
import type { Content } from "./workloads.ts";
import { writeAtPace, writeOnce } from "./write-at-pace.ts";

/** What the proxies of the benchmark have in `node.cluster`. */
export const FLEET = "bench";
export const LISTENER = "web";

const PORT = 8080;
/** Objects in one call; a batch of the store holds 990. */
const BATCH = 450;
/** Most destinations that one rule takes. */
const DESTINATIONS = 64;
/** Until a signal has arrived for sure. */
const SIGNAL_MS = 200;

/** Starts a plane on an empty store, its own or one nats-server with one copy, and gives it the content. */
export async function startProduct(content: Content, store: "embedded" | "nats"): Promise<RestartableServer> {
  const disposables = new AsyncDisposableStack();
  try {
    const nats = store === "nats" ? disposables.use(await startNats({ size: 1 })) : undefined;
    const tidyOnSignal = join(import.meta.dirname, "servers/tidy-on-signal.ts");
    const plane = disposables.use(
      await startPlane({
        nodeArgs: ["--expose-gc", ...profiling, "--import", tidyOnSignal],
        ...(nats !== undefined && { nats: nats.urls }),
      }),
    );
    const admin = connectAdmin(plane.addresses.admin, "bench");
    disposables.defer(() => admin.close());
    pin(plane);
    await fill(admin, content);
    const write = (change: number) =>
      admin.call(AdminService.method.registerBackend, {
        backend: backend(change % content.resources, 0, changeAddress(change)),
      });
    return {
      address: plane.addresses.xds,
      get pid() {
        return plane.pid();
      },
      tick: (change) => writeOnce(write, change),
      churn: (pace) => writeAtPace(write, { ...pace, lanes: content.resources }),
      tidy: async () => {
        process.kill(plane.pid(), "SIGUSR2");
        await new Promise((resolve) => setTimeout(resolve, SIGNAL_MS));
        // Answered when the collection, which holds up everything else, is over.
        await fetch(`http://${plane.addresses.http}/healthz`);
        return Number.NaN;
      },
      crash: () => plane.kill9(),
      restart: async () => {
        await plane.restart();
        pin(plane);
        await ready(plane);
        return performance.now();
      },
      stop: () => disposables.disposeAsync(),
    };
  } catch (error) {
    await disposables.disposeAsync();
    throw error;
  }
}

type Init = MessageInitShape<typeof AnyObjectSchema>;

/** As many services as the content has resources, each with its endpoints, all routed on one listener of the fleet. */
async function fill(admin: AdminClient, { resources, endpoints }: Content): Promise<void> {
  const names = Array.from({ length: resources }, (_, index) => serviceName(index));
  const routes = Array.from({ length: Math.ceil(resources / DESTINATIONS) }, (_, index): Init => {
    const to = names.slice(index * DESTINATIONS, (index + 1) * DESTINATIONS).map((service) => ({ service, weight: 1 }));
    const value = { name: `route-${index}`, listeners: [LISTENER], hosts: [`host-${index}.example`], rules: [{ to }] };
    return { object: { case: "route", value } };
  });
  await apply(
    admin,
    names.map((name): Init => ({ object: { case: "service", value: { name } } })),
  );
  const all: Init[] = [];
  for (let service = 0; service < resources; service++) {
    for (let index = 0; index < endpoints; index++) {
      const address = index === 0 ? changeAddress(0) : ordinaryAddress(index);
      all.push({ object: { case: "backend", value: backend(service, index, address) } });
    }
  }
  await apply(admin, all);
  // Last, so that nothing is derived before there is something to derive.
  await apply(admin, [
    { object: { case: "fleet", value: { name: FLEET } } },
    { object: { case: "listener", value: { name: LISTENER, fleet: FLEET, address: `127.0.0.1:${PORT}` } } },
    ...routes,
  ]);
}

async function apply(admin: AdminClient, objects: readonly Init[]): Promise<void> {
  for (let first = 0; first < objects.length; first += BATCH) {
    await admin.call(AdminService.method.apply, { objects: objects.slice(first, first + BATCH) });
  }
}

function serviceName(index: number): string {
  return `cluster-${index}`;
}

/** Backends are told to proxies in the order of their names: the one that changes is the first. */
function backend(service: number, index: number, address: string) {
  const name = `${serviceName(service)}/b-${String(index).padStart(6, "0")}`;
  return { name, target: { case: "address" as const, value: `${address}:${PORT}` } };
}

function ready(plane: Plane): Promise<unknown> {
  return eventually(
    async () => (await fetch(`http://${plane.addresses.http}/readyz`)).status,
    (status) => status === 200,
    { what: "the plane is ready", timeoutMs: 60_000 },
  );
}

function pin(plane: Plane): void {
  if (SERVER_CORE === undefined) return;
  output("taskset", ["--all-tasks", "--pid", "--cpu-list", String(SERVER_CORE), String(plane.pid())]);
}
