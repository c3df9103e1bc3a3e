/** A real plane under attack, with a witness, and what has to hold of both. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { eventually } from "../support/eventually.ts";
import { backend, fleet, listener, manifest, routeTo, service } from "../support/manifest.ts";
import { type Plane, type PlaneOptions, startPlane } from "../support/plane.ts";
import { LateAnswer, type Target } from "./campaign.ts";
import { startWitness } from "./witness.ts";

export interface FuzzedPlane extends Target, AsyncDisposable {
  readonly plane: Plane;
  /** Of something on loopback that takes connections and says nothing: checks of it get as far as they can. */
  readonly backendAddress: string;
  /** The plane has been started again: waits until it has its witness back, and follows that process from here on. */
  reconnected(): Promise<void>;
  /** Heap and buffers, in bytes, beside what it held before the attacks. */
  held(): Promise<number>;
  /** Waits until what the attacks took is given back. Throws when it is not. */
  memoryReturns(): Promise<void>;
}

/** So much more than before the attacks may stay: kept response frames and lost answers of closed streams have 96 MiB by themselves. */
const KEPT_BYTES_MAX = 192 * 1024 * 1024;
/** Garbage is collected when this is signalled, so that what is left is what somebody holds. */
const COLLECT: NodeJS.Signals = "SIGUSR2";
const COLLECTING = ["--expose-gc", "--import", `data:text/javascript,process.on("${COLLECT}", () => globalThis.gc())`];

export async function startFuzzedPlane(options: PlaneOptions = {}): Promise<FuzzedPlane> {
  const disposables = new AsyncDisposableStack();
  const silent = await silentServer();
  disposables.defer(() => void silent.close());
  const backendAddress = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const plane = disposables.use(await startPlane({ nodeArgs: COLLECTING, ...options }));
  await plane.mustApply(
    manifest(
      fleet("witness"),
      fleet("edge"),
      service("shop"),
      backend("shop/s1", backendAddress),
      listener("web", 10_000),
      routeTo("shop"),
    ),
  );
  let witness = await startWitness(plane.addresses.xds, plane.pid());
  disposables.defer(() => witness[Symbol.asyncDispose]());
  await witness.report();
  const heldBefore = await heldBytes(plane);
  const contained = new Map<string, number>();
  return {
    plane,
    backendAddress,
    check: async () => {
      if (!isRunning(plane.pid())) throw new Error(`the plane has ended\n${lastLines(plane.log())}`);
      const { late, ended } = await witness.report();
      const [first] = late;
      if (first !== undefined) throw new LateAnswer(first.waitedMs);
      if (ended.length > 0) throw new Error(`another client's stream ended: ${ended[0]}`);
      for (const [source, count] of await containedFailures(plane)) {
        if (count > (contained.get(source) ?? 0))
          throw new Error(
            `a failure of source ${source} was contained, and had to be foreseen\n${lastLines(plane.log())}`,
          );
        contained.set(source, count);
      }
    },
    reconnected: async () => {
      await witness[Symbol.asyncDispose]();
      witness = await startWitness(plane.addresses.xds, plane.pid());
      contained.clear();
      await witness.report();
    },
    held: async () => (await heldBytes(plane)) - heldBefore,
    memoryReturns: async () => {
      await eventually(
        async () => (await heldBytes(plane)) - heldBefore,
        (bytes) => bytes < KEPT_BYTES_MAX,
        { what: `no more than ${KEPT_BYTES_MAX} bytes are held beside ${heldBefore}`, timeoutMs: 30_000, everyMs: 500 },
      );
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

async function silentServer(): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => undefined));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function scrape({ addresses }: Plane, metric: string): Promise<[labels: string, value: number][]> {
  const text = await (await fetch(`http://${addresses.http}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, "gm"))].map(([, labels = "", value]) => [
    labels,
    Number(value),
  ]);
}

async function heldBytes(plane: Plane): Promise<number> {
  process.kill(plane.pid(), COLLECT);
  const parts = ["nodejs_heap_size_used_bytes", "nodejs_external_memory_bytes"];
  const series = await Promise.all(parts.map((part) => scrape(plane, part)));
  return series.flat().reduce((sum, [, bytes]) => sum + bytes, 0);
}

const containedFailures = (plane: Plane) => scrape(plane, "fairlead_contained_failures_total");

function lastLines(log: string): string {
  return log.split("\n").slice(-15).join("\n");
}
