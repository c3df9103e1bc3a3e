import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytes, cause, put, type StoreFactory, type StoreUnderTest, text } from "./contract-store.ts";

/** What every `Journal` does. */
export function journalContract(name: string, factory: StoreFactory): void {
  describe(`${name} as a journal`, () => {
    let store: StoreUnderTest;
    beforeAll(async () => {
      store = await factory.open();
    });
    afterAll(() => store?.dispose());

    const said = (requestId: string, more = {}) =>
      cause({ actor: "cli:alice", operation: "put-policy", reason: "because", requestId, ...more });

    it("records who wrote what and why, with what the commit gave", async () => {
      const { revision, at } = await store.state.commit({
        ops: [put("j/b", "1"), put("j/a", "1"), { op: "delete", key: "j/c" }],
        cause: said("r-1", { result: bytes("the answer") }),
      });
      const entry = await store.journal.findRequest("r-1");
      expect(entry).toMatchObject({ revision, actor: "cli:alice", operation: "put-policy", reason: "because" });
      // A batch of several messages has several times.
      expect(Math.abs((entry?.at ?? 0) - at)).toBeLessThan(1_000);
      expect(entry?.keys.toSorted()).toEqual(["j/a", "j/b", "j/c"]);
      expect(text(entry?.result)).toBe("the answer");
      expect(await store.journal.findRequest("r-2")).toBeUndefined();
      expect(await store.journal.findRequest("")).toBeUndefined();
    });

    it("finds a commit by its revision, however many messages it took", async () => {
      const ops = Array.from({ length: 300 }, (_, i) =>
        put(`found/${i}`, "1", { history: { generation: 1, keep: 2 } }),
      );
      const { revision } = await store.state.commit({ ops, cause: said("r-found") });
      await store.state.commit({ ops: [put("found/0", "2")], cause: said("r-found-later") });
      expect(await store.journal.findCommit(revision)).toMatchObject({ revision, requestId: "r-found" });
      expect(await store.journal.findCommit({ ...revision, position: revision.position + 1_000 })).toBeUndefined();
      expect(await store.journal.findCommit({ ...revision, epoch: revision.epoch + 1 })).toBeUndefined();
    });

    it("refuses a second commit of one request, which changes nothing", async () => {
      await store.state.commit({ ops: [put("twice/a", "1")], cause: said("r-twice") });
      await expect(store.state.commit({ ops: [put("twice/a", "2")], cause: said("r-twice") })).rejects.toMatchObject({
        kind: "conflict",
        code: "REQUEST_SEEN",
        details: { requestId: "r-twice" },
      });
      expect(text((await store.state.get("twice/a"))?.value)).toBe("1");
    });

    it("tells a retry that it is one, also when its guards fail because the first try went through", async () => {
      const batch = { ops: [put("again/a", "1", { guard: "absent" })], cause: said("r-again") };
      await store.state.commit(batch);
      await expect(store.state.commit(batch)).rejects.toMatchObject({ code: "REQUEST_SEEN" });
    });

    it("lets one of many commits of one request through", async () => {
      const tries = Array.from({ length: 10 }, (_, i) => {
        const { state } = i % 2 === 0 ? store : store.other;
        return state.commit({ ops: [put(`many/${i}`, "1")], cause: said("r/many: any text, ü") });
      });
      const outcomes = await Promise.allSettled(tries);
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "REQUEST_SEEN" });
      }
      await store.state.barrier();
      expect((await store.state.read("many/")).entries).toHaveLength(1);
    });

    it("forgets a request that was refused", async () => {
      const guarded = (guard: "present" | "absent") => ({
        ops: [put("later/a", "1", { guard })],
        cause: said("r-later"),
      });
      await expect(store.state.commit(guarded("present"))).rejects.toMatchObject({ code: "VERSION_MISMATCH" });
      expect(await store.journal.findRequest("r-later")).toBeUndefined();
      await store.state.commit(guarded("absent"));
      expect(await store.journal.findRequest("r-later")).toBeDefined();
    });

    it("takes any number of commits without a request id", async () => {
      await store.state.commit({ ops: [put("anonymous/a", "1")], cause: said("") });
      await store.state.commit({ ops: [put("anonymous/a", "2")], cause: said("") });
      expect(await store.journal.list({ limit: 10, key: "anonymous/a" })).toHaveLength(2);
    });

    it("leaves out what the plane writes for itself", async () => {
      const before = await store.journal.list({ limit: 1 });
      const ops = [put("own/a", "1")];
      await store.state.commit({ ops, cause: cause({ operation: "-tick", requestId: "r-own" }) });
      await store.state.commit({ ops, cause: cause({ operation: "-tick", requestId: "r-own" }) });
      expect(await store.journal.list({ limit: 1 })).toEqual(before);
      expect(await store.journal.findRequest("r-own")).toBeUndefined();
    });

    it("lists the newest first, up to a limit, and those that touched a key", async () => {
      for (let i = 1; i <= 30; i++) {
        const key = i % 10 === 0 ? "list/rare" : `list/${i}`;
        await store.state.commit({ ops: [put(key, `${i}`), put("list/always", `${i}`)], cause: said(`list-${i}`) });
      }
      const ids = async (options: { limit: number; key?: string }) =>
        (await store.journal.list(options)).map(({ requestId }) => requestId);
      expect(await ids({ limit: 3 })).toEqual(["list-30", "list-29", "list-28"]);
      expect(await ids({ limit: 10, key: "list/rare" })).toEqual(["list-30", "list-20", "list-10"]);
      expect(await ids({ limit: 2, key: "list/rare" })).toEqual(["list-30", "list-20"]);
      expect(await ids({ limit: 5, key: "list/never" })).toEqual([]);
      expect(await ids({ limit: 100, key: "list/always" })).toHaveLength(30);
    });
  });
}
