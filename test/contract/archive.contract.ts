import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/runtime/clock.ts";
import type { ArchiveRecord } from "../../src/store/archive.ts";
import type { StateStore } from "../../src/store/state-store.ts";
import type { Store } from "../../src/store/store.ts";
import { openMemoryStore } from "../support/embedded-store.ts";
import { eventually } from "../support/eventually.ts";
import { bytes, cause, put, type StoreFactory, type StoreUnderTest, text } from "./contract-store.ts";

const RESTORE = {
  cause: cause({ actor: "cli:bob", operation: "restore", reason: "moved" }),
  keys: [],
  laterThan: () => 0,
};
const MANY = 1_500;

/** What every `Archive` does. */
export function archiveContract(name: string, factory: StoreFactory): void {
  describe(`${name} as an archive`, () => {
    let store: StoreUnderTest;
    beforeEach(async () => {
      store = await factory.open();
    });
    afterEach(() => store?.dispose());

    const write = (requestId: string, key: string, value: string, generation?: number) =>
      store.state.commit({
        ops: [put(key, value, generation === undefined ? {} : { history: { generation, keep: 2 } })],
        cause: cause({ operation: "put", requestId }),
      });
    const fill = async () => {
      for (const [i, value] of ["one", "two", "three"].entries()) await write(`r-${i}`, "a/b", value, i + 1);
      await write("r-x", "a/c", "x");
      await store.state.commit({ ops: [{ op: "delete", key: "a/c" }, put("d", "d")], cause: cause() });
    };

    it("gives everything back, with the revisions of history and journal, in a new epoch", async () => {
      await fill();
      const before = await contentOf(store);
      const records = await read(store);
      await store.state.commit({ ops: [put("later", "gone"), put("d", "other")], cause: cause({ operation: "put" }) });
      const { revision } = await store.archive.replace(inParts(records, 2), RESTORE);
      expect(revision.epoch).toBe(2);
      const { journal, ...after } = await contentOf(store);
      expect(after).toEqual({ entries: before.entries, copies: before.copies });
      expect(journal.slice(1)).toEqual(before.journal);
      expect(journal[0]).toMatchObject({ actor: "cli:bob", operation: "restore", reason: "moved", revision });
      expect(await store.journal.findRequest("r-1")).toMatchObject({ keys: ["a/b"], revision: { epoch: 1 } });
    });

    it("gives what it writes anew, history copies too, the revision of its journal entry", async () => {
      const record = { key: "a/b", value: bytes("1") };
      const copy = { kind: "copy", ...record, slot: 0, generation: 1, revision: undefined } as const;
      const fresh: ArchiveRecord[] = [{ kind: "entry", ...record }, copy];
      const { revision } = await store.archive.replace(inParts(fresh, 1), { ...RESTORE, keys: ["a/b"] });
      await reachesEpoch(store.other, 2);
      for (const one of [store, store.other]) {
        expect(await one.state.history("a/b")).toMatchObject([{ generation: 1, revision }]);
        expect(await one.journal.list({ limit: 1, key: "a/b" })).toMatchObject([{ operation: "restore", revision }]);
        expect((await read(one)).find(({ kind }) => kind === "copy")).toMatchObject({ revision });
      }
    });

    it("goes to another store and comes back", async () => {
      await fill();
      const before = await contentOf(store);
      const other = await openMemoryStore({ clock: systemClock });
      await other.archive.replace(inParts(await read(store), 3), { ...RESTORE, laterThan: () => 6 });
      expect((await other.state.barrier()).epoch).toBe(7);
      const { revision } = await store.archive.replace(inParts(await read(other), 3), {
        ...RESTORE,
        laterThan: () => 7,
      });
      expect(revision.epoch).toBe(8);
      const { journal, ...after } = await contentOf(store);
      expect(after).toEqual({ entries: before.entries, copies: before.copies });
      expect(journal.slice(2)).toEqual(before.journal);
      await other.state.close();
    });

    it("lets versions, fencing tokens and watches of the epoch before count no more, at once and everywhere", async () => {
      const old = await write("", "a/b", "one", 1);
      const stop = new AbortController();
      const ended = ends(store.other.state, stop.signal);
      const { revision } = await store.archive.replace(inParts(await read(store), 9), RESTORE);
      await expect(ended).resolves.toMatchObject({ code: "COMPACTED" });
      await reachesEpoch(store.other, 2);
      for (const { state } of [store, store.other]) {
        const guarded = { ops: [put("a/b", "two", { guard: old.revision })], cause: cause() };
        await expect(state.commit(guarded)).rejects.toMatchObject({ code: "VERSION_MISMATCH" });
        const resting = { ops: [put("e", "1")], cause: cause(), guard: { key: "a/b", revision: old.revision } };
        await expect(state.commit(resting)).rejects.toMatchObject({ code: "FENCED" });
        await expect(ends(state, stop.signal, old.revision)).resolves.toMatchObject({ code: "COMPACTED" });
      }
      const now = await store.other.state.get("a/b");
      expect(now?.revision.epoch).toBe(revision.epoch);
      const next = await store.other.state.commit({
        ops: [put("a/b", "two", { guard: now?.revision ?? "absent", history: { generation: 2, keep: 2 } })],
        cause: cause(),
      });
      expect(next.revision.position).toBeGreaterThan(revision.position);
      expect((await store.state.history("a/b")).map((copy) => copy.generation)).toEqual([2, 1]);
      stop.abort();
    });

    it("changes nothing when the records break off, name a key twice or hold a bad one", async () => {
      await fill();
      const before = await contentOf(store);
      const failing = async function* (): AsyncGenerator<ArchiveRecord[]> {
        yield [{ kind: "entry", key: "half", value: bytes("1") }];
        throw new Error("the caller has gone");
      };
      await expect(store.archive.replace(failing(), RESTORE)).rejects.toThrow("the caller has gone");
      const twice = [entry("k", "1"), entry("k", "2")];
      await expect(store.archive.replace(inParts(twice, 1), RESTORE)).rejects.toMatchObject({ code: "DUPLICATE_KEY" });
      await expect(store.archive.replace(inParts([entry("_", "1")], 1), RESTORE)).rejects.toMatchObject({
        code: "BAD_KEY",
      });
      expect(await contentOf(store)).toEqual(before);
      expect((await store.state.barrier()).epoch).toBe(1);
      await store.archive.replace(inParts([entry("k", "1")], 1), RESTORE);
      expect((await contentOf(store)).entries).toEqual({ k: "1" });
    });

    it("is never seen half done, and loses no write that was acknowledged after it", async () => {
      const old = Array.from({ length: MANY }, (_, i) => put(`m/${i}`, "old"));
      for (let i = 0; i < MANY; i += 500) await store.state.commit({ ops: old.slice(i, i + 500), cause: cause() });
      await store.other.state.barrier();
      const stop = new AbortController();
      const seen = watchValues(store.other.state, stop.signal);
      const acknowledged = new Map<string, { epoch: number; position: number }>();
      const writing = (async () => {
        for (let i = 0; !stop.signal.aborted; i++) {
          const key = `w/${i}`;
          await store.other.state.commit({ ops: [put(key, "1")], cause: cause() }).then(
            ({ revision }) => acknowledged.set(key, revision),
            () => undefined,
          );
        }
      })();
      const fresh = Array.from({ length: MANY }, (_, i) => entry(`m/${i}`, "new"));
      const { revision } = await store.archive.replace(inParts(fresh, 100), RESTORE);
      await reachesEpoch(store.other, 2);
      const last = acknowledged.size + 3;
      await eventually(
        () => acknowledged.size,
        (size) => size >= last,
        { what: "writes go on" },
      );
      stop.abort();
      await writing;
      const { entries } = await contentOf(store.other);
      for (const [key, written] of acknowledged) {
        if (written.epoch === 2) expect(entries[key], key).toBe("1");
        else expect(written.position, key).toBeLessThan(revision.position);
      }
      expect(new Set(await seen)).toEqual(new Set(["old", "new"]));
      expect(Object.entries(entries).filter(([key]) => key.startsWith("m/"))).toHaveLength(MANY);
    });

    it("lets one of two win", async () => {
      const tries = await Promise.allSettled(
        [store, store.other].map(({ archive }, i) =>
          archive.replace(inParts([entry("one", String(i)), entry("two", String(i))], 1), RESTORE),
        ),
      );
      const won = tries.flatMap((outcome, i) => (outcome.status === "fulfilled" ? [String(i)] : []));
      expect(won.length).toBeGreaterThan(0);
      for (const outcome of tries) {
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "REPLACED_MEANWHILE" });
      }
      await reachesEpoch(store, 1 + won.length);
      const { entries } = await contentOf(store);
      expect(entries["one"]).toBe(entries["two"]);
      expect(won).toContain(entries["one"]);
    });

    it("ends tenures, whose role is won again with a later fencing token", async () => {
      const signal = AbortSignal.timeout(60_000);
      const first = await store.lease.campaign("duties", signal);
      await store.archive.replace(inParts(await read(store), 9), RESTORE);
      await eventually(
        () => first.ended.aborted,
        (aborted) => aborted,
        { what: "the tenure ends" },
      );
      const second = await store.other.lease.campaign("duties", signal);
      expect(second.fencingToken.revision.epoch).toBe(2);
      expect(second.fencingToken.revision.position).toBeGreaterThan(first.fencingToken.revision.position);
      await store.other.state.commit({ ops: [put("x", "1")], cause: cause(), guard: second.fencingToken });
      await second.resign();
    });
  });
}

const entry = (key: string, value: string): ArchiveRecord => ({ kind: "entry", key, value: bytes(value) });

async function* inParts(records: readonly ArchiveRecord[], size: number): AsyncGenerator<readonly ArchiveRecord[]> {
  for (let i = 0; i < records.length; i += size) yield records.slice(i, i + size);
}

async function read({ archive }: Pick<Store, "archive">): Promise<ArchiveRecord[]> {
  const records: ArchiveRecord[] = [];
  for await (const part of (await archive.read()).parts) records.push(...part);
  return records;
}

async function contentOf({ state, journal }: Pick<Store, "state" | "journal">) {
  const { entries } = await state.read("");
  const copies = await state.history("a/b");
  return {
    entries: Object.fromEntries(entries.map(({ key, value }) => [key, text(value)])),
    copies: copies.map(({ value, ...copy }) => ({ ...copy, value: text(value) })),
    journal: await journal.list({ limit: 100 }),
  };
}

async function reachesEpoch({ state }: Pick<Store, "state">, epoch: number): Promise<void> {
  await eventually(
    () => state.read("none"),
    ({ revision }) => revision.epoch >= epoch,
    { what: `epoch ${epoch} is mirrored`, timeoutMs: 20_000 },
  );
}

async function ends(state: StateStore, signal: AbortSignal, from?: { epoch: number; position: number }) {
  try {
    for await (const _ of state.watch({ signal, ...(from && { from }) }));
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What all keys below `m/` had in common each time that the state was whole; "mixed" when they had nothing. */
async function watchValues(state: StateStore, signal: AbortSignal): Promise<string[]> {
  const told: string[] = [];
  while (!signal.aborted) {
    const values = new Map<string, string | undefined>();
    try {
      for await (const event of state.watch({ signal })) {
        const changes = event.kind === "state" ? event.entries : event.changes;
        for (const { key, value } of changes) if (key.startsWith("m/")) values.set(key, text(value));
        if (event.kind === "state" && !event.synced) continue;
        const distinct = new Set(values.values());
        told.push(distinct.size === 1 && values.size === MANY ? String([...distinct][0]) : "mixed");
      }
    } catch {
      // Another epoch has begun: read again.
    }
  }
  return told;
}
