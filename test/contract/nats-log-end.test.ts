import { type ConsumerAPI, type JetStreamManager, jetstreamManager, type StreamAPI } from "@nats-io/jetstream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BucketMirror } from "../../src/nats/bucket-mirror.ts";
import { connectNats } from "../../src/nats/connect.ts";
import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { type Clock, systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { StateStore } from "../../src/store/state-store.ts";
import { newContainment } from "../support/containment.ts";
import { eventually } from "../support/eventually.ts";
import { startNats } from "../support/nats.ts";
import { cause, put } from "./contract-store.ts";

const TOOLS = {
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  containment: newContainment(),
};
const BUCKET = "log-end";

/** A comparison with the whole bucket may take so long. */
const COMPARISON_MS = 30_000;

/** Ends of comparisons that may still come to nothing. */
const comparisons = new Set<() => void>();
/** No consumer can be made. */
let isWithoutConsumers = false;
let disposables: AsyncDisposableStack;
let state: StateStore;
let mirror: BucketMirror;
/** By how much the server tells of less than the log holds. */
let untold = 0;
/** What a write of nothing comes to. */
let tick: () => Promise<number | undefined>;

beforeEach(async () => {
  disposables = new AsyncDisposableStack();
  untold = 0;
  isWithoutConsumers = false;
  tick = () => state.barrier().then(({ position }) => position);
  const nats = disposables.use(await startNats({ size: 1 }));
  const servers = nats.urls;
  ({ state } = await openNatsStore({ servers, bucket: BUCKET, replicas: 1, replica: "one", ...TOOLS }));
  disposables.defer(() => state.close());
  const connection = await connectNats({ servers, name: "mirror" });
  disposables.defer(() => connection.close());
  const manager = forgetful(await jetstreamManager(connection));
  const clock = { ...systemClock, after };
  const options = { connection, manager, bucket: BUCKET, replica: "mirror", ...TOOLS, clock };
  mirror = new BucketMirror({ ...options, link: { isUp: true }, isForReplacement: false, tick: () => tick() });
  disposables.defer(() => mirror.stop());
  await mirror.start();
  await write("a");
});
afterEach(() => disposables.disposeAsync());

/** The system's, which does not end a comparison of its own accord. */
const after: Clock["after"] = (ms, run) => {
  if (ms !== COMPARISON_MS) return systemClock.after(ms, run);
  comparisons.add(run);
  return () => comparisons.delete(run);
};

/** A server that has come back tells so, until it has applied its Raft log. */
function forgetful(manager: JetStreamManager): JetStreamManager {
  const streams: StreamAPI = Object.create(manager.streams, {
    info: {
      value: async (stream: string) => {
        const info = await manager.streams.info(stream);
        return { ...info, state: { ...info.state, last_seq: info.state.last_seq - untold } };
      },
    },
  });
  const consumers: ConsumerAPI = Object.create(manager.consumers, {
    add: {
      value: (...args: Parameters<ConsumerAPI["add"]>) =>
        isWithoutConsumers ? Promise.reject(new Error("no leader")) : manager.consumers.add(...args),
    },
  });
  return Object.create(manager, { streams: { value: streams }, consumers: { value: consumers } });
}

async function write(key: string): Promise<void> {
  const { revision } = await state.commit({ ops: [put(key, "1")], cause: cause() });
  expect(await mirror.log.reached(revision.position, 5_000)).toBeDefined();
}

describe("a mirror", () => {
  it("goes on when a server tells of less than was mirrored, but a write comes after all of it", async () => {
    untold = 3;
    mirror.suspect();
    await eventually(
      () => mirror.status.reopens,
      (reopens) => reopens === 1,
      { what: "its feed is opened anew" },
    );
    await write("b");
    expect(mirror.status).toMatchObject({ frozen: undefined, failure: undefined });
  });

  it("decides nothing while no write can tell", async () => {
    untold = 3;
    tick = async () => undefined;
    mirror.suspect();
    await eventually(
      () => mirror.status.failure,
      (failure) => failure?.includes("no write can tell") === true,
      { what: "it says why it does not hear the log" },
    );
    expect(mirror.status.frozen).toBeUndefined();
    tick = () => state.barrier().then(({ position }) => position);
    await write("b");
  });

  it("freezes for good when a write comes where something was mirrored already", async () => {
    untold = 3;
    tick = async () => mirror.log.held.revision.position;
    mirror.suspect();
    await eventually(
      () => mirror.status.frozen,
      (frozen) => frozen?.includes("went back") === true,
      { what: "it is frozen" },
    );
    untold = 0;
    const { revision } = await state.commit({ ops: [put("b", "1")], cause: cause() });
    expect(await mirror.log.reached(revision.position, 5_000)).toBeUndefined();
  });

  it("leaves nothing behind of a comparison that could not begin", async () => {
    isWithoutConsumers = true;
    await mirror.compare();
    expect(comparisons.size).toBe(0);
    isWithoutConsumers = false;
    await write("b");
  });
});
