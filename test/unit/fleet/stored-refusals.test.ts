import { describe, expect, it } from "vitest";
import { MAX_NODES } from "../../../src/fleet/refusal-marks.ts";
import { StoredRefusals } from "../../../src/fleet/stored-refusals.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import type { StateStore } from "../../../src/store/state-store.ts";
import { openMemoryStore } from "../../support/embedded-store.ts";

const refusal = { typeUrl: "T", names: ["a", "b"] };

function memoryOf(store: Pick<StateStore, "commit" | "now">, clock = systemClock): StoredRefusals {
  return new StoredRefusals({ store, clock, log: silentLogger, replica: "plane-a" });
}

/** A memory that starts from what a store holds, as after a restart. */
async function restarted(store: StateStore): Promise<StoredRefusals> {
  const { entries, revision } = await store.read("");
  const memory = memoryOf(store);
  memory.fold({ kind: "state", entries, revision, synced: true });
  return memory;
}

describe("StoredRefusals", () => {
  it("knows at once what was refused, and what was acknowledged since", async () => {
    const { state } = await openMemoryStore({ clock: systemClock });
    const memory = memoryOf(state);
    memory.record("edge-1", refusal);
    memory.clear("edge-1", "T", ["a"]);
    expect([...memory.load("edge-1")]).toEqual([{ typeUrl: "T", name: "b" }]);
    expect([...memory.load("edge-2")]).toEqual([]);
    await state.close();
  });

  it("forgets what a state that is read again does not hold, once all of it is read", async () => {
    const { state } = await openMemoryStore({ clock: systemClock });
    memoryOf(state).record("edge-1", refusal);
    await expect.poll(async () => (await state.read("refusals/")).entries.length).toBe(1);
    const memory = await restarted(state);
    const revision = { epoch: 2, position: 9 };
    memory.fold({ kind: "state", entries: [], revision, synced: false });
    expect([...memory.load("edge-1")]).toHaveLength(2);
    memory.fold({ kind: "state", entries: [], revision, synced: true });
    expect([...memory.load("edge-1")]).toEqual([]);
    await state.close();
  });

  it("survives the process, also for a node id that could be no key", async () => {
    const { state } = await openMemoryStore({ clock: systemClock });
    const id = "10.0.0.1:80/ü";
    memoryOf(state).record(id, refusal);
    await expect.poll(async () => (await state.read("refusals/")).entries.length).toBe(1);
    expect([...(await restarted(state)).load(id)].map(({ name }) => name)).toEqual(["a", "b"]);
    await state.close();
  });

  it("leaves nothing behind once all is acknowledged", async () => {
    const { state } = await openMemoryStore({ clock: systemClock });
    const memory = memoryOf(state);
    memory.record("edge-1", refusal);
    memory.clear("edge-1", "T", ["a", "b"]);
    await expect.poll(async () => (await state.read("refusals/")).entries).toEqual([]);
    await state.close();
  });

  it("tries again what the store did not take", async () => {
    const { state } = await openMemoryStore({ clock: systemClock });
    let failures = 1;
    const flaky = {
      now: () => state.now(),
      commit: (batch: Parameters<StateStore["commit"]>[0]) => {
        if (failures-- > 0) return Promise.reject(new Error("away"));
        return state.commit(batch);
      },
    };
    const soon = { ...systemClock, after: (_ms: number, run: () => void) => systemClock.after(0, run) };
    memoryOf(flaky, soon).record("edge-1", refusal);
    await expect.poll(async () => (await state.read("refusals/")).entries.length).toBe(1);
    await state.close();
  });

  it("stores what all others refused though the store takes the marks of one never", async () => {
    const { state } = await openMemoryStore({ clock: systemClock });
    const soon = { ...systemClock, after: (_ms: number, run: () => void) => systemClock.after(0, run) };
    const memory = memoryOf(state, soon);
    memory.record("first", refusal);
    const huge = "n".repeat(2_000_000);
    memory.record(huge, refusal);
    for (let index = 0; index < 300; index++) memory.record(`edge-${index}`, refusal);
    await expect.poll(async () => (await state.read("refusals/")).entries.length).toBe(301);
    expect([...memory.load(huge)].map(({ name }) => name)).toEqual(["a", "b"]);
    memory.record("last", refusal);
    await expect.poll(async () => (await state.read("refusals/")).entries.length).toBe(302);
    await state.close();
  });

  it("keeps the marks of a bounded number of proxies, and forgets those that refused longest ago", async () => {
    const { state } = await openMemoryStore({ clock: systemClock });
    const soon = { ...systemClock, after: (_ms: number, run: () => void) => systemClock.after(0, run) };
    let now = 0;
    const memory = memoryOf({ commit: (batch) => state.commit(batch), now: () => ++now }, soon);
    for (let index = 0; index < MAX_NODES + 300; index++) memory.record(`invented-${index}`, refusal);
    await expect.poll(async () => (await state.read("refusals/")).entries.length, { timeout: 15_000 }).toBe(MAX_NODES);
    expect([...memory.load("invented-299")]).toEqual([]);
    expect([...memory.load("invented-300")]).toHaveLength(2);
    await state.close();
  });
});
