import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reached } from "../../src/store/revision.ts";
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_COST,
  MAX_KEY_LENGTH,
  MAX_RESULT_BYTES,
  MAX_VALUE_BYTES,
  type StateStore,
  type StoreOp,
} from "../../src/store/state-store.ts";
import { bytes, cause, put, type StoreFactory, type StoreUnderTest, text } from "./contract-store.ts";
import { startWatch } from "./watch-reader.ts";

/** What every `StateStore` does, whatever it is made of. */
export function stateStoreContract(name: string, factory: StoreFactory): void {
  describe(`${name} as a state store`, () => {
    let store: StoreUnderTest;
    let state: StateStore;
    beforeAll(async () => {
      store = await factory.open();
      state = store.state;
    });
    afterAll(() => store?.dispose());

    const write = (...ops: StoreOp[]) => state.commit({ ops, cause: cause() });
    const textOf = async (key: string) => text((await state.get(key))?.value);

    describe("commit", () => {
      it("gives one revision to all of a batch, and a later one to the next", async () => {
        const first = await write(put("one/a", "1"), put("one/b", "2"));
        const second = await write(put("one/c", "3"));
        expect(second.revision.epoch).toBe(first.revision.epoch);
        expect(second.revision.position).toBeGreaterThan(first.revision.position);
        expect((await state.get("one/a"))?.revision).toEqual(first.revision);
        expect((await state.get("one/b"))?.revision).toEqual(first.revision);
        expect((await state.get("one/c"))?.revision).toEqual(second.revision);
        expect(second.at).toBeGreaterThanOrEqual(first.at);
      });

      it("keeps every byte, also of an empty value", async () => {
        const every = Uint8Array.from({ length: 256 }, (_, i) => i);
        await write(
          { op: "put", key: "bytes/all", value: every },
          { op: "put", key: "bytes/none", value: new Uint8Array() },
        );
        expect(new Uint8Array((await state.get("bytes/all"))?.value ?? [])).toEqual(every);
        expect((await state.get("bytes/none"))?.value.byteLength).toBe(0);
      });

      it("takes no operation at all, and moves the revision on", async () => {
        const before = await write(put("empty/a", "1"));
        const after = await write();
        expect(after.revision.position).toBeGreaterThan(before.revision.position);
        expect((await state.get("empty/a"))?.revision).toEqual(before.revision);
      });

      it("changes nothing when one guard of a batch fails, and names its key", async () => {
        await write(put("atomic/a", "old"));
        const ops = [put("atomic/a", "new"), put("atomic/b", "new", { guard: "present" }), put("atomic/c", "new")];
        await expect(write(...ops)).rejects.toMatchObject({
          kind: "conflict",
          code: "VERSION_MISMATCH",
          details: { key: "atomic/b" },
        });
        expect(await textOf("atomic/a")).toBe("old");
        expect(await state.get("atomic/c")).toBeUndefined();
      });

      it.each([
        { guard: "any", missing: true, there: true, deleted: true },
        { guard: "absent", missing: true, there: false, deleted: true },
        { guard: "present", missing: false, there: true, deleted: false },
      ] as const)("with the guard $guard", async ({ guard, missing, there, deleted }) => {
        const key = (of: string) => `guard-${guard}/${of}`;
        await write(put(key("there"), "1"), put(key("deleted"), "1"), put(key("gone"), "1"));
        await write({ op: "delete", key: key("deleted") });
        const tried = async (op: StoreOp) =>
          await write(op).then(
            () => true,
            (error: { code: string }) => error.code !== "VERSION_MISMATCH",
          );
        expect(await tried(put(key("missing"), "2", { guard }))).toBe(missing);
        expect(await tried(put(key("there"), "2", { guard }))).toBe(there);
        expect(await tried(put(key("deleted"), "2", { guard }))).toBe(deleted);
        expect(await tried({ op: "delete", key: key("gone"), guard })).toBe(there);
        expect(await tried({ op: "delete", key: key("never"), guard })).toBe(missing);
      });

      it("with a revision as guard takes only the last write of that key", async () => {
        const first = await write(put("exact/a", "1"), put("exact/b", "1"));
        const second = await write(put("exact/a", "2", { guard: first.revision }));
        const refused = { kind: "conflict", code: "VERSION_MISMATCH", details: { key: "exact/a" } };
        await expect(write(put("exact/a", "3", { guard: first.revision }))).rejects.toMatchObject(refused);
        await expect(write({ op: "delete", key: "exact/a", guard: first.revision })).rejects.toMatchObject(refused);
        await expect(write(put("exact/b", "2", { guard: second.revision }))).rejects.toMatchObject({
          details: { key: "exact/b" },
        });
        const ahead = { ...second.revision, position: second.revision.position + 1_000_000 };
        await expect(write(put("exact/a", "3", { guard: ahead }))).rejects.toMatchObject(refused);
        await write({ op: "delete", key: "exact/a", guard: second.revision });
        await expect(write(put("exact/a", "4", { guard: second.revision }))).rejects.toMatchObject(refused);
      });

      it("refuses a revision of another epoch", async () => {
        const { revision } = await write(put("epoch/a", "1"));
        for (const epoch of [revision.epoch - 1, revision.epoch + 1]) {
          await expect(write(put("epoch/a", "2", { guard: { ...revision, epoch } }))).rejects.toMatchObject({
            code: "VERSION_MISMATCH",
          });
        }
      });

      it("takes a batch whose guard holds, and refuses one that lost it", async () => {
        const { revision } = await write(put("guard/holder", "a"));
        const batch = (key: string) => ({
          ops: [put(key, "1")],
          cause: cause(),
          guard: { key: "guard/holder", revision },
        });
        await state.commit(batch("guard/first"));
        await write(put("guard/holder", "b"));
        await expect(state.commit(batch("guard/second"))).rejects.toMatchObject({ kind: "conflict", code: "FENCED" });
        expect(await state.get("guard/second")).toBeUndefined();
        await write({ op: "delete", key: "guard/holder" });
        await expect(state.commit(batch("guard/second"))).rejects.toMatchObject({ kind: "conflict", code: "FENCED" });
      });

      it("lets exactly one of many writers with the same expectation win", async () => {
        const { revision } = await write(put("race/a", "start"));
        const writers = Array.from({ length: 20 }, (_, i) => {
          const { state } = i % 2 === 0 ? store : store.other;
          return state.commit({ ops: [put("race/a", `${i}`, { guard: revision })], cause: cause() });
        });
        const outcomes = await Promise.allSettled(writers);
        const won = outcomes.flatMap((outcome, i) => (outcome.status === "fulfilled" ? [i] : []));
        expect(won).toHaveLength(1);
        for (const outcome of outcomes) {
          if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "VERSION_MISMATCH" });
        }
        expect(await textOf("race/a")).toBe(String(won[0]));
      });

      it("counts no write lost among writers that read, add one and try again", async () => {
        await write(put("counter/a", "0"));
        const add = async (i: number) => {
          const { state } = i % 2 === 0 ? store : store.other;
          for (;;) {
            const read = await state.get("counter/a");
            const next = String(Number(text(read?.value)) + 1);
            try {
              await state.commit({
                ops: [put("counter/a", next, { guard: read?.revision ?? "absent" })],
                cause: cause(),
              });
              return;
            } catch (error) {
              expect(error).toMatchObject({ code: "VERSION_MISMATCH" });
            }
          }
        };
        await Promise.all(Array.from({ length: 12 }, (_, i) => add(i)));
        await state.barrier();
        expect(await textOf("counter/a")).toBe("12");
      });
    });

    describe("limits", () => {
      it("takes keys of letters, digits and a few signs only", async () => {
        const longest = `k/${"x".repeat(MAX_KEY_LENGTH - 2)}`;
        await write(put("projects/default/services/a-b_c=D9", "1"), put(longest, "1"));
        const bad = ["", "/a", "a/", "a//b", "a b", "a.b", "a:b", "a*", "a>", "ä", "_a", "_a/b", "a\n", `${longest}x`];
        for (const key of bad) {
          await expect(write(put(key, "1")), key).rejects.toMatchObject({ kind: "invalid", code: "BAD_KEY" });
          await expect(state.get(key), key).rejects.toMatchObject({ kind: "invalid", code: "BAD_KEY" });
          await expect(state.history(key), key).rejects.toMatchObject({ kind: "invalid", code: "BAD_KEY" });
        }
      });

      it("refuses a batch that names a key twice", async () => {
        await expect(write(put("twice/a", "1"), { op: "delete", key: "twice/a" })).rejects.toMatchObject({
          kind: "invalid",
          code: "DUPLICATE_KEY",
        });
      });

      it("takes a batch of the greatest cost whole, and refuses the next greater one", async () => {
        const puts = (count: number) => Array.from({ length: count }, (_, i) => put(`cost/${i}`, "x"));
        await write(...puts(MAX_BATCH_COST));
        const { entries } = await state.read("cost/");
        expect(entries).toHaveLength(MAX_BATCH_COST);
        expect(new Set(entries.map(({ revision }) => revision.position)).size).toBe(1);
        await expect(write(...puts(MAX_BATCH_COST + 1))).rejects.toMatchObject({
          kind: "exhausted",
          code: "BATCH_TOO_LARGE",
        });
      });

      it("counts a history copy as one more", async () => {
        const history = { generation: 1, keep: 3 };
        const puts = (count: number) => Array.from({ length: count }, (_, i) => put(`copies/${i}`, "x", { history }));
        await write(...puts(MAX_BATCH_COST / 2));
        await expect(write(...puts(MAX_BATCH_COST / 2 + 1))).rejects.toMatchObject({ code: "BATCH_TOO_LARGE" });
      });

      it("takes the largest value, and refuses a larger one and too many bytes in all", async () => {
        const value = new Uint8Array(MAX_VALUE_BYTES).fill(7);
        await write({ op: "put", key: "large/a", value });
        expect((await state.get("large/a"))?.value.byteLength).toBe(MAX_VALUE_BYTES);
        const tooLarge = new Uint8Array(MAX_VALUE_BYTES + 1);
        await expect(write({ op: "put", key: "large/a", value: tooLarge })).rejects.toMatchObject({
          kind: "exhausted",
          code: "VALUE_TOO_LARGE",
        });
        const many = Array.from({ length: Math.floor(MAX_BATCH_BYTES / MAX_VALUE_BYTES) + 1 }, (_, i) => ({
          op: "put" as const,
          key: `large/${i}`,
          value,
        }));
        await expect(write(...many)).rejects.toMatchObject({ kind: "exhausted", code: "BATCH_TOO_LARGE" });
        await write(...many.map(({ key }) => ({ op: "delete" as const, key })), { op: "delete", key: "large/a" });
      });

      it("refuses a result and a request id that are too long", async () => {
        const ops = [put("result/a", "1")];
        const result = new Uint8Array(MAX_RESULT_BYTES + 1);
        await expect(state.commit({ ops, cause: cause({ result }) })).rejects.toMatchObject({
          code: "VALUE_TOO_LARGE",
        });
        const requestId = "x".repeat(161);
        await expect(state.commit({ ops, cause: cause({ requestId }) })).rejects.toMatchObject({ kind: "invalid" });
      });
    });

    describe("reads", () => {
      it("tell what lies below a prefix, at a revision", async () => {
        const { revision } = await write(put("tree/a/1", "1"), put("tree/a/2", "2"), put("tree/b", "3"));
        const below = await state.read("tree/a/");
        expect(below.entries.map(({ key }) => key).toSorted()).toEqual(["tree/a/1", "tree/a/2"]);
        expect(reached(below.revision, revision)).toBe(true);
        expect((await state.read("nothing/")).entries).toEqual([]);
      });

      it("do not tell of what was deleted", async () => {
        await write(put("shrub/a", "1"), put("shrub/b", "1"));
        await write({ op: "delete", key: "shrub/a" });
        expect(await state.get("shrub/a")).toBeUndefined();
        expect((await state.read("shrub/")).entries.map(({ key }) => key)).toEqual(["shrub/b"]);
      });

      it("show through another handle what a barrier there has passed", async () => {
        for (let i = 0; i < 20; i++) {
          const { revision } = await write(put("barrier/a", `${i}`));
          expect(reached(await store.other.state.barrier(), revision)).toBe(true);
          expect(text((await store.other.state.get("barrier/a"))?.value)).toBe(`${i}`);
        }
      });

      it("tell the store's clock, which no commit runs ahead of", async () => {
        const { at } = await write(put("clock/a", "1"));
        expect(state.now()).toBeGreaterThanOrEqual(at);
        expect(Math.abs(state.now() - Date.now())).toBeLessThan(5_000);
      });
    });

    describe("history", () => {
      const generation = (key: string, generation: number, keep = 3) =>
        write(put(key, `g${generation}`, { history: { generation, keep } }));
      const generations = async (key: string) => (await state.history(key)).map(({ generation }) => generation);

      it("keeps the newest copies, newest first, with the revisions that made them", async () => {
        const made = [];
        for (let i = 1; i <= 5; i++) made.push((await generation("history/a", i)).revision);
        const copies = await state.history("history/a");
        expect(copies.map(({ generation, value }) => [generation, text(value)])).toEqual([
          [5, "g5"],
          [4, "g4"],
          [3, "g3"],
        ]);
        expect(copies.map(({ revision }) => revision)).toEqual(made.slice(2).toReversed());
      });

      it("keeps another value than the entry's where one is given", async () => {
        const history = { generation: 1, keep: 3, value: new TextEncoder().encode("shown") };
        await write(put("history/other", "whole", { history }));
        expect((await state.history("history/other")).map(({ value }) => text(value))).toEqual(["shown"]);
        expect(text((await state.get("history/other"))?.value ?? new Uint8Array())).toBe("whole");
      });

      it("is not touched by writes without a copy, and outlives its key", async () => {
        await generation("history/b", 1);
        await write(put("history/b", "other"));
        await write({ op: "delete", key: "history/b" });
        expect((await state.history("history/b")).map(({ value }) => text(value))).toEqual(["g1"]);
      });

      it("stays within its bound when a key begins again", async () => {
        for (let i = 1; i <= 4; i++) await generation("history/c", i);
        await write({ op: "delete", key: "history/c" });
        await generation("history/c", 1);
        await generation("history/c", 2);
        const now = await generations("history/c");
        expect(now.slice(0, 2)).toEqual([2, 1]);
        expect(now.length).toBeLessThanOrEqual(3);
      });

      it("of one key is apart from that of the keys below it", async () => {
        await generation("history/d", 1);
        await generation("history/d/e", 1);
        expect(await generations("history/d")).toEqual([1]);
        expect(await generations("history/nothing")).toEqual([]);
      });

      it("takes no copy of a batch that was refused", async () => {
        await expect(
          write(put("history/f", "x", { guard: "present", history: { generation: 1, keep: 3 } })),
        ).rejects.toMatchObject({ code: "VERSION_MISMATCH" });
        expect(await generations("history/f")).toEqual([]);
      });
    });

    describe("watch", () => {
      it("begins with the present state, then tells each commit whole", async () => {
        await write(put("watch/a", "1"), put("watch/b", "1"));
        const reader = startWatch(state, {});
        await reader.until(({ synced }) => synced);
        expect(reader.below("watch/")).toEqual({ "watch/a": "1", "watch/b": "1" });
        const { revision, at } = await write(
          put("watch/a", "2"),
          { op: "delete", key: "watch/b" },
          put("watch/c", "1"),
        );
        await reader.reaches(revision);
        expect(reader.below("watch/")).toEqual({ "watch/a": "2", "watch/c": "1" });
        const event = reader.events.find(
          (event) => event.kind === "commit" && event.revision.position === revision.position,
        );
        expect(event).toMatchObject({ at });
        expect(event?.kind === "commit" && event.changes.map(({ key }) => key).toSorted()).toEqual([
          "watch/a",
          "watch/b",
          "watch/c",
        ]);
        expect(await reader.end()).toBeUndefined();
      });

      it("resumes after a revision, deletes included", async () => {
        await write(put("resume/a", "1"), put("resume/b", "1"), put("resume/c", "1"));
        const { revision: from } = await write(put("resume/a", "2"));
        const { revision: changed } = await write(put("resume/b", "2"));
        await write({ op: "delete", key: "resume/a" });
        const { revision: again } = await write(put("resume/a", "3"));
        const { revision: to } = await write({ op: "delete", key: "resume/c" });
        const reader = startWatch(state, { from });
        await reader.reaches(to);
        expect(reader.synced).toBe(false);
        const told = new Map(
          reader.events
            .flatMap((event) => (event.kind === "commit" ? event.changes : []))
            .map((change) => [change.key, change]),
        );
        expect(told.get("resume/a")).toMatchObject({ revision: again });
        expect(told.get("resume/b")).toMatchObject({ revision: changed });
        expect(told.get("resume/c")).toMatchObject({ value: undefined, revision: to });
        await reader.end();
      });

      it("from a revision that is not reached yet tells what comes after it", async () => {
        const { revision } = await write(put("ahead/a", "0"));
        const reader = startWatch(state, { from: { ...revision, position: revision.position + 1_000_000_000 } });
        const end = await write(put("ahead/a", "1"));
        const present = startWatch(state, { from: revision });
        await present.reaches(end.revision);
        expect(reader.events).toEqual([]);
        await Promise.all([reader.end(), present.end()]);
      });

      it("from a revision of another epoch is compacted", async () => {
        const { revision } = await write(put("epochs/a", "0"));
        const reader = startWatch(state, { from: { ...revision, epoch: revision.epoch + 1 } });
        expect(await reader.ended).toMatchObject({ kind: "precondition", code: "COMPACTED" });
      });

      it("ends a reader that is behind by more than it may be, and no other", async () => {
        const { signal } = new AbortController();
        const { revision: from } = await write(put("behind/0", "0"));
        const behind = state.watch({ from, signal, maxUnread: 3 })[Symbol.asyncIterator]();
        const other = state.watch({ from, signal })[Symbol.asyncIterator]();
        const first = Promise.all([behind.next(), other.next()]);
        await write(put("behind/1", "1"));
        await first;
        for (let i = 2; i <= 6; i++) await write(put(`behind/${i}`, "1"));
        await expect(behind.next()).rejects.toMatchObject({ kind: "exhausted", code: "READER_TOO_SLOW" });
        expect((await other.next()).done).toBe(false);
      });

      it("tells a slow reader the latest values, and never holds up a commit for it", async () => {
        const iterator = state.watch({ signal: new AbortController().signal })[Symbol.asyncIterator]();
        await iterator.next();
        let last = (await write(put("slow/a", "0"))).revision;
        for (let i = 1; i <= 50; i++) last = (await write(put("slow/a", `${i}`))).revision;
        let seen = 0;
        const values: (string | undefined)[] = [];
        for (let event = await iterator.next(); !event.done; event = await iterator.next()) {
          if (event.value.kind !== "commit") continue;
          seen += 1;
          values.push(...event.value.changes.filter(({ key }) => key === "slow/a").map(({ value }) => text(value)));
          if (reached(event.value.revision, last)) break;
        }
        expect(values.at(-1)).toBe("50");
        expect(seen).toBeLessThan(25);
        await iterator.return?.();
      });

      it("tells large states in parts, the last of them marked", async () => {
        for (let i = 0; i < 3; i++) {
          await write(...Array.from({ length: 900 }, (_, j) => put(`parts/${i}-${j}`, "x")));
        }
        const reader = startWatch(state, {});
        await reader.until(({ synced }) => synced);
        expect(Object.keys(reader.below("parts/"))).toHaveLength(2_700);
        const parts = reader.events.filter((event) => event.kind === "state");
        expect(parts.length).toBeGreaterThan(1);
        expect(parts.map(({ synced }) => synced)).toEqual(parts.map((_, i) => i === parts.length - 1));
        await reader.end();
      });

      it("does not begin when its signal was aborted before", async () => {
        const events = [];
        for await (const event of state.watch({ signal: AbortSignal.abort() })) events.push(event);
        expect(events).toEqual([]);
      });

      it("through another handle tells the same commits", async () => {
        const reader = startWatch(store.other.state, {});
        await reader.until(({ synced }) => synced);
        const { revision } = await write(put("other/a", "1"), put("other/b", "1"));
        await reader.reaches(revision);
        expect(reader.below("other/")).toEqual({ "other/a": "1", "other/b": "1" });
        await reader.end();
      });
    });

    describe("an empty store", () => {
      it("syncs at once with nothing", async () => {
        const empty = await factory.open();
        const reader = startWatch(empty.state, {});
        await reader.until(({ synced }) => synced);
        expect(reader.events[0]).toMatchObject({ kind: "state", entries: [], synced: true });
        await reader.end();
        await empty.dispose();
      });
    });

    describe("a closed store", () => {
      const closed = { kind: "unavailable", code: "STORE_CLOSED" };
      const operations: Record<string, (store: StoreUnderTest) => Promise<unknown>> = {
        commit: ({ state }) => state.commit({ ops: [put("a", "1")], cause: cause() }),
        get: ({ state }) => state.get("a"),
        read: ({ state }) => state.read(""),
        history: ({ state }) => state.history("a"),
        barrier: ({ state }) => state.barrier(),
        watch: ({ state }) => state.watch({ signal: new AbortController().signal })[Symbol.asyncIterator]().next(),
        findRequest: ({ journal }) => journal.findRequest("a"),
        campaign: ({ lease }) => lease.campaign("closed", new AbortController().signal),
        list: ({ journal }) => journal.list({ limit: 1 }),
      };

      it("fails every operation, ends its watches, and closes again without complaint", async () => {
        const ending = await factory.open();
        const reader = startWatch(ending.state, {});
        await reader.until(({ synced }) => synced);
        await ending.state.close();
        await ending.state.close();
        expect(await reader.ended).toMatchObject(closed);
        for (const [name, run] of Object.entries(operations)) {
          await expect(run(ending), name).rejects.toMatchObject(closed);
        }
        await ending.dispose();
      });

      it("settles what was on its way", async () => {
        const ending = await factory.open();
        const commits = [1, 2, 3].map((i) => ending.state.commit({ ops: [put(`last/${i}`, "1")], cause: cause() }));
        await ending.state.close();
        const outcomes = await Promise.allSettled(commits);
        const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
        expect(refused).toEqual(refused.map(() => expect.objectContaining(closed)));
        await ending.dispose();
      });
    });

    it("does not alter what it was given", async () => {
      const value = bytes("given");
      await write({ op: "put", key: "given/a", value });
      expect(text(value)).toBe("given");
    });
  });
}
