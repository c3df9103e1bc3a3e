/** How fast replicas on a cluster of three nats-servers are: from a commit to every mirror, and to ready with a large state. */
import { parseArgs } from "node:util";
import { type Kind, storeKey } from "../src/domain/name.ts";
import { type OpenedNatsStore, openNatsStore } from "../src/nats/open-nats-store.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { silentLogger } from "../src/runtime/logger.ts";
import { systemRandom } from "../src/runtime/random.ts";
import { messageFromJson } from "../src/schema/object-json.ts";
import { encodeStored } from "../src/schema/stored-object.ts";
import { MAX_BATCH_COST, type StoreOp } from "../src/store/state-store.ts";
import { newContainment } from "../test/support/containment.ts";
import { startNats } from "../test/support/nats.ts";
import { startPlane } from "../test/support/plane.ts";
import type { BenchReport } from "./report.ts";

const REPLICAS = 3;
const KEYS = 1_000;
const VALUE_BYTES = 300;
const WARM_UP_SECONDS = 2;

export async function runNatsBench(args: readonly string[]): Promise<BenchReport> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rate: { type: "string", default: "200" },
      seconds: { type: "string", default: "20" },
      objects: { type: "string", default: "100000" },
      starts: { type: "string", default: "5" },
    },
  });
  const [rate, seconds, objects] = [Number(values.rate), Number(values.seconds), Number(values.objects)];
  await using nats = await startNats({ size: 3 });
  const open = (replica: string, bucket: string) =>
    openNatsStore({
      servers: nats.urls,
      bucket,
      replicas: 3,
      replica,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      containment: newContainment(),
    });
  const stores = await Promise.all(Array.from({ length: REPLICAS }, (_, i) => open(`replica-${i}`, "rate")));
  const { commits, mirrored } = await changeSteadily(stores, { rate, seconds });
  await Promise.all(stores.map(({ state }) => state.close()));

  const filler = await open("filler", "fairlead");
  await fill(filler, objects);
  await filler.state.close();
  const listening: number[] = [];
  for (let round = 0; round < Number(values.starts); round += 1) {
    await using plane = await startPlane({ nats: nats.urls });
    listening.push(plane.startedInMs);
  }
  return {
    name: "nats",
    setting: { servers: 3, copies: 3, replicas: REPLICAS, changesPerSecond: rate, objects },
    rows: [
      { what: "commit until it is durable", samplesMs: commits },
      { what: "commit until every replica has mirrored it", samplesMs: mirrored, promisedP99Ms: 15 },
      { what: `process start until it listens, ${objects} objects`, samplesMs: listening, promisedP99Ms: 5_000 },
    ],
  };
}

/** Each change is due at its own instant, whether those before it have ended or not. */
async function changeSteadily(
  stores: readonly OpenedNatsStore[],
  { rate, seconds }: { rate: number; seconds: number },
) {
  const stop = new AbortController();
  const waiting = new Map<string, { seen: () => void }>();
  for (const { state } of stores) void follow(state);
  async function follow(state: OpenedNatsStore["state"]): Promise<void> {
    for await (const event of state.watch({ signal: stop.signal })) {
      if (event.kind !== "commit") continue;
      for (const { key, value } of event.changes) {
        const change = waiting.get(`${key} ${Buffer.from(value ?? "").readUInt32BE()}`);
        change?.seen();
      }
    }
  }
  const commits: number[] = [];
  const mirrored: number[] = [];
  const total = rate * (seconds + WARM_UP_SECONDS);
  const beginAt = performance.now() + 100;
  const all: Promise<void>[] = [];
  for (let i = 0; i < total; i += 1) {
    const dueInMs = beginAt + (i * 1_000) / rate - performance.now();
    if (dueInMs > 1) await new Promise((resolve) => setTimeout(resolve, dueInMs));
    all.push(change(i));
  }
  async function change(i: number): Promise<void> {
    const key = `projects/default/services/s/backends/b-${i % KEYS}`;
    const value = Buffer.alloc(VALUE_BYTES);
    value.writeUInt32BE(i);
    const { promise, resolve } = Promise.withResolvers<void>();
    let left = stores.length;
    const seen = () => {
      left -= 1;
      if (left === 0) resolve();
    };
    waiting.set(`${key} ${i}`, { seen });
    const startedAt = performance.now();
    const cause = { actor: "bench", operation: "bench", reason: "", requestId: "" };
    await stores[i % stores.length]?.state.commit({ ops: [{ op: "put", key, value }], cause });
    const durableAt = performance.now();
    await promise;
    waiting.delete(`${key} ${i}`);
    if (i < rate * WARM_UP_SECONDS) return;
    commits.push(durableAt - startedAt);
    mirrored.push(performance.now() - startedAt);
  }
  await Promise.all(all);
  stop.abort();
  return { commits, mirrored };
}

/** A hundred services with their backends, and a fleet whose one route leads to ten of them. */
export async function fill({ state }: OpenedNatsStore, objects: number): Promise<void> {
  const services = 100;
  const ops: StoreOp[] = [];
  const add = (kind: Kind, json: Record<string, unknown> & { name: string }) => ops.push(putOf(kind, json));
  add("fleet", { name: "edge" });
  add("listener", { name: "web", fleet: "edge", address: "127.0.0.1:10000" });
  const to = Array.from({ length: 10 }, (_, i) => ({ service: `s-${i}`, weight: 1 }));
  add("route", { name: "shop", listeners: ["web"], hosts: ["*"], rules: [{ to }] });
  for (let i = 0; i < services; i += 1) add("service", { name: `s-${i}` });
  for (let i = ops.length; i < objects; i += 1) {
    const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:8080`;
    add("backend", { name: `s-${i % services}/b-${i}`, address });
  }
  const cause = { actor: "bench", operation: "bench", reason: "", requestId: "" };
  for (let from = 0; from < ops.length; from += MAX_BATCH_COST) {
    await state.commit({ ops: ops.slice(from, from + MAX_BATCH_COST), cause });
  }
}

function putOf(kind: Kind, json: Record<string, unknown> & { name: string }): StoreOp {
  const at = new Date(0).toISOString();
  const meta = { uid: json.name.replace("/", "-"), generation: "1", createTime: at, updateTime: at };
  const read = messageFromJson(kind, { ...json, meta });
  if (!read.ok) throw new Error(`${json.name}: ${JSON.stringify(read.violations)}`);
  const name = "name" in read.message ? read.message.name : json.name;
  return { op: "put", key: storeKey(kind, name), value: encodeStored(kind, read.message) };
}
