import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type OpenedNatsStore, openNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { newContainment } from "../support/containment.ts";
import { eventually } from "../support/eventually.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { startWires, type Wires } from "../support/wires.ts";
import { StoreLoad } from "./store-load.ts";

/** What is promised. */
const LONGEST_SILENCE_MS = 7_000;

describe("a mirror on three servers", () => {
  let cluster: NatsCluster;
  let wires: Wires;
  let writer: OpenedNatsStore;
  let reader: OpenedNatsStore;
  let load: StoreLoad;
  beforeAll(async () => {
    cluster = await startNats({ size: 3 });
  });
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    wires = await startWires(cluster);
    writer = await open("writer", cluster.urls);
    reader = await open("reader", wires.urls);
    load = new StoreLoad(writer, reader);
    await load.round();
  });
  afterEach(async () => {
    await load.stop();
    await writer.state.close();
    await reader.state.close();
    await wires[Symbol.asyncDispose]();
  });

  const open = (replica: string, servers: readonly string[]) =>
    openNatsStore({
      servers,
      bucket: "partition",
      replicas: 3,
      replica,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      containment: newContainment(),
    });

  it.each(["it is connected to", "it is not connected to"])(
    "goes on when the way to the server %s is cut",
    async (which) => {
      const used = wires.used();
      wires.cut(which === "it is connected to" ? used : (used + 1) % 3);
      const { longestLagMs, lost } = await load.round();
      expect(lost).toEqual([]);
      expect(longestLagMs).toBeLessThan(LONGEST_SILENCE_MS);
      expect(reader.status().away).toBeUndefined();
    },
  );

  it("serves what it has while it is cut off from all, and then misses no value and no delete", async () => {
    wires.cut();
    await eventually(
      () => reader.status().away,
      (away) => away !== undefined,
      { what: "the reader knows that it is cut off", timeoutMs: 15_000 },
    );
    const write = reader.state.commit({
      ops: [{ op: "put", key: "load/0", value: new Uint8Array() }],
      cause: { actor: "test", operation: "-load", reason: "", requestId: "" },
    });
    await expect(write).rejects.toMatchObject({ kind: "unavailable", code: "STORE_UNREACHABLE" });
    wires.mend();
    const { lost } = await load.round();
    expect(lost).toEqual([]);
    expect(reader.status()).toMatchObject({ away: undefined, frozen: undefined });
    expect(reader.mirrorStatus().repairs).toBe(0);
  });
});
