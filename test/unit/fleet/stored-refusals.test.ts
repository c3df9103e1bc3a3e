import { describe, expect, it } from "vitest";
import { StoredRefusals } from "../../../src/fleet/stored-refusals.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { openMemoryStore } from "../../../src/store/sqlite-store.ts";
import type { StateStore } from "../../../src/store/state-store.ts";

const refusal = { typeUrl: "T", names: ["a", "b"] };

function memoryOf(store: Pick<StateStore, "commit">, clock = systemClock): StoredRefusals {
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
});
