import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type OpenedNatsStore, openNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { newContainment } from "../support/containment.ts";
import { eventually } from "../support/eventually.ts";
import { type NatsCluster, type NatsServer, startNats } from "../support/nats.ts";
import { StoreLoad } from "./store-load.ts";

const BUCKET = "faults";
/** What is promised. */
const LONGEST_SILENCE_MS = 7_000;

describe("a mirror on three servers", () => {
  let cluster: NatsCluster;
  let writer: OpenedNatsStore;
  let reader: OpenedNatsStore;
  let load: StoreLoad;
  beforeAll(async () => {
    cluster = await startNats({ size: 3 });
  });
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    writer = await open("writer", cluster.urls);
    reader = await open("reader", cluster.urls);
    load = new StoreLoad(writer, reader);
    await load.round();
  });
  afterEach(async () => {
    await load.stop();
    await writer.state.close();
    await reader.state.close();
  });

  const open = (replica: string, servers: readonly string[]) =>
    openNatsStore({
      servers,
      bucket: BUCKET,
      replicas: 3,
      replica,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      containment: newContainment(),
    });

  /** Runs against a server that is left alone. */
  const manage = async <T>(
    server: NatsServer,
    run: (api: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>,
  ) => {
    const connection = await connect({ servers: server.url, timeout: 5_000 });
    try {
      return await run(await jetstreamManager(connection));
    } finally {
      await connection.close();
    }
  };
  const stream = () => manage(anyServer(), (api) => api.streams.info(`KV_${BUCKET}`));
  const consumers = (server: NatsServer) => manage(server, (api) => api.consumers.list(`KV_${BUCKET}`).next());
  const serverOf = (name: string | undefined) => {
    const server = cluster.servers.find((server) => server.name === name);
    if (server === undefined) throw new Error(`no server ${name}`);
    return server;
  };
  const anyServer = () => cluster.servers[0] ?? serverOf(undefined);

  /** Writes succeed again, the reader hears of them in time, and all that was acknowledged has reached it. */
  const goesOn = async () => {
    const { longestLagMs, lost } = await load.round();
    expect(lost).toEqual([]);
    expect(longestLagMs).toBeLessThan(LONGEST_SILENCE_MS);
    expect(reader.mirrorStatus()).toMatchObject({ repairs: 0, frozen: undefined });
  };

  const goesOnWithout = async (victim: NatsServer) => {
    victim.signal("SIGSTOP");
    try {
      await goesOn();
    } finally {
      victim.signal("SIGCONT");
    }
    await goesOn();
  };

  const stepDown = async () => {
    const connection = await connect({ servers: [...cluster.urls] });
    await connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.KV_${BUCKET}`, "", { timeout: 5_000 });
    await connection.close();
  };
  const deleteConsumers = async () => {
    for (const { name } of await consumers(anyServer())) {
      await manage(anyServer(), (api) => api.consumers.delete(`KV_${BUCKET}`, name));
    }
  };

  it("goes on after its consumer was deleted on the server", async () => {
    await deleteConsumers();
    await goesOn();
    expect(reader.mirrorStatus().reopens).toBeGreaterThan(0);
  });

  it("goes on after the server of its consumer was killed", async () => {
    const [consumer] = await consumers(anyServer());
    const victim = serverOf(consumer?.cluster?.leader);
    await victim.kill();
    await goesOn();
    await victim.restart();
    await goesOn();
    expect(victim.child.running()).toBe(true);
  });

  it("goes on after the leader of the stream was killed", async () => {
    const victim = serverOf((await stream()).cluster?.leader);
    await victim.kill();
    await goesOn();
    await victim.restart();
    await goesOn();
    expect(victim.child.running()).toBe(true);
  });

  it("goes on after each server was stopped in turn", async () => {
    for (const server of cluster.servers) {
      await server.kill();
      await goesOn();
      await server.restart();
    }
    await goesOn();
    expect(cluster.servers.every(({ child }) => child.running())).toBe(true);
  });

  it("goes on while the cluster has no leader that could give it a consumer", async () => {
    const reply = await fetch(`${anyServer().monitor}/jsz`);
    const { meta_cluster } = (await reply.json()) as { meta_cluster: { leader: string } };
    const victim = serverOf(meta_cluster.leader);
    await eventually(
      async () => {
        const leader = (await stream()).cluster?.leader;
        if (leader === victim.name) await stepDown();
        return leader;
      },
      (leader) => leader !== undefined && leader !== victim.name,
      { what: "the stream is led by another server", timeoutMs: 20_000 },
    );
    await deleteConsumers();
    await goesOnWithout(victim);
    expect(victim.child.running()).toBe(true);
  });

  it("goes on after the server of its consumer stood still", async () => {
    const [consumer] = await consumers(anyServer());
    const victim = serverOf(consumer?.cluster?.leader);
    await goesOnWithout(victim);
    expect(victim.child.running()).toBe(true);
  });
});
