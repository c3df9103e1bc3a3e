/** How one worker keeps up with many backends: how late checks begin, how long they take, what they cost. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Histogram, Registry } from "prom-client";
import { Mirror } from "../src/control/mirror.ts";
import { type Kind, storeKey } from "../src/domain/name.ts";
import { HealthWorker } from "../src/health/health-worker.ts";
import { createSocketProber } from "../src/health/socket-prober.ts";
import { systemClock as clock } from "../src/runtime/clock.ts";
import { Containment } from "../src/runtime/containment.ts";
import { createHealthMetrics } from "../src/runtime/health-metrics.ts";
import { silentLogger } from "../src/runtime/logger.ts";
import { systemRandom as random } from "../src/runtime/random.ts";
import { messageFromJson } from "../src/schema/object-json.ts";
import { encodeStored } from "../src/schema/stored-object.ts";
import type { StateStore, StoreOp } from "../src/store/state-store.ts";
import { openMemoryStore } from "../test/support/embedded-store.ts";
import { outboundDoor } from "../test/support/outbound-door.ts";
import type { BenchReport } from "./report.ts";

const PER_SERVICE = 100;
/** Below the ports that the system gives to connections. */
const FIRST_PORT = 16_000;
const CAUSE = { actor: "bench", operation: "-bench", reason: "", requestId: "" };
const WORKER = "bench";
/** In slices of so long it is counted how evenly checks are spread. */
const SLICE_MS = 100;

export async function runHealthBench(args: readonly string[]): Promise<BenchReport> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      backends: { type: "string", default: "10000" },
      interval: { type: "string", default: "5" },
      seconds: { type: "string", default: "30" },
    },
  });
  const backends = Number(values.backends);
  const targets = fork(join(import.meta.dirname, "health-targets.ts"), [String(FIRST_PORT), String(backends)]);
  try {
    await once(targets, "message");
    const { state: store } = await openMemoryStore({ clock });
    await fill(store, { backends, intervalSeconds: Number(values.interval) });
    const figures = await measure(store, {
      warmUpMs: 3000 * Number(values.interval),
      forMs: 1000 * Number(values.seconds),
    });
    const { delays, durations, ...facts } = figures;
    return {
      name: "health",
      setting: { backends, intervalSeconds: values.interval, ...facts },
      rows: [
        { what: "check began later than it was due", samplesMs: delays, promisedP99Ms: 100 },
        { what: "check took", samplesMs: durations, promisedP99Ms: 100 },
      ],
    };
  } finally {
    targets.kill();
  }
}

async function fill(
  store: StateStore,
  { backends, intervalSeconds }: { backends: number; intervalSeconds: number },
): Promise<void> {
  const healthCheck = { http: { path: "/healthz" }, interval: `${intervalSeconds}s`, timeout: "1s" };
  for (let first = 0; first < backends; first += PER_SERVICE) {
    const service = `service-${first / PER_SERVICE}`;
    const ops = [put("service", service, { healthCheck })];
    for (let i = first; i < Math.min(backends, first + PER_SERVICE); i += 1) {
      ops.push(put("backend", `${service}/b-${i}`, { address: `127.0.0.1:${FIRST_PORT + i}` }));
    }
    await store.commit({ ops, cause: CAUSE });
  }
}

function put(kind: Kind, name: string, json: object): StoreOp {
  const read = messageFromJson(kind, { name, meta: { uid: name }, ...json });
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  return { op: "put", key: storeKey(kind, name), value: encodeStored(kind, read.message) };
}

async function measure(store: StateStore, { warmUpMs, forMs }: { warmUpMs: number; forMs: number }) {
  const mirror = new Mirror();
  const stop = new AbortController();
  const following = follow(store, mirror, stop.signal);
  await mirror.reach({ epoch: 0, position: 0 });
  let delays: number[] = [];
  let durations: number[] = [];
  const metrics = createHealthMetrics(new Registry(), () => []);
  const into = (name: string, take: (ms: number) => void) =>
    Object.assign(new Histogram({ name, help: name, registers: [] }), { observe: (s: number) => take(s * 1000) });
  let running = 0;
  let mostRunning = 0;
  let perSlice = new Map<number, number>();
  const containment = new Containment({ clock, log: silentLogger, registry: new Registry() });
  const prober = createSocketProber({ clock, door: outboundDoor(), containment });
  const worker = new HealthWorker({
    name: WORKER,
    mirror,
    store,
    prober: {
      probe: async (...check) => {
        const slice = Math.floor(clock.monotonic() / SLICE_MS);
        perSlice.set(slice, (perSlice.get(slice) ?? 0) + 1);
        running += 1;
        mostRunning = Math.max(mostRunning, running);
        try {
          return await prober.probe(...check);
        } finally {
          running -= 1;
        }
      },
    },
    secondOpinion: async () => [],
    containment,
    clock,
    random,
    log: silentLogger,
    metrics: {
      ...metrics,
      delay: into("delay", (ms) => delays.push(ms)),
      probeTime: into("probe", (ms) => durations.push(ms)),
    },
  });
  const key = "assign/bench";
  const { revision } = await store.commit({ ops: [{ op: "put", key, value: new Uint8Array() }], cause: CAUSE });
  worker.setShare({ assignment: { workers: [WORKER], round: 1 }, fencingToken: { key, revision } });

  await clock.sleep(warmUpMs);
  delays = [];
  durations = [];
  perSlice = new Map();
  mostRunning = 0;
  const before = process.cpuUsage();
  await clock.sleep(forMs);
  const { user, system } = process.cpuUsage(before);
  const checksPerSecond = Math.round((durations.length / forMs) * 1000);
  // Without the first and the last, which are cut off.
  const slices = [...perSlice.values()].slice(1, -1).toSorted((a, b) => a - b);
  const at = (share: number) => slices[Math.floor(share * (slices.length - 1))] ?? 0;
  const samples = { delays, durations };
  await worker.stop();
  stop.abort();
  await following;
  await store.close();
  return {
    ...samples,
    checksPerSecond,
    checksPer100Ms: `${at(0.05)} to ${at(0.95)}`,
    connectionsMax: mostRunning,
    cpuPercent: Math.round((user + system) / forMs / 10),
    rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
  };
}

async function follow(store: StateStore, mirror: Mirror, signal: AbortSignal): Promise<void> {
  for await (const event of store.watch({ signal })) mirror.fold(event);
}
