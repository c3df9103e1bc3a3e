import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Tenure } from "../../src/store/lease.ts";
import type { StateStore } from "../../src/store/state-store.ts";
import { cause, put, type StoreFactory, type StoreUnderTest } from "./contract-store.ts";

/** What every `Lease` does. */
export function leaseContract(name: string, factory: StoreFactory): void {
  describe(`${name} as a lease`, () => {
    let store: StoreUnderTest;
    const always = new AbortController().signal;
    beforeAll(async () => {
      store = await factory.open();
    });
    afterAll(() => store?.dispose());

    const writeUnder = ({ fencingToken }: Tenure, state: StateStore = store.state) =>
      state.commit({ ops: [put("lease/data", "1")], cause: cause(), guard: fencingToken });

    it("is won by a lone candidate, and its fencing token lets batches through", async () => {
      const tenure = await store.lease.campaign("alone", always);
      expect(tenure.ended.aborted).toBe(false);
      await writeUnder(tenure);
      await writeUnder(tenure, store.other.state);
      await tenure.resign();
    });

    it("is held by one at a time; the next wins once it is given up, and shuts the earlier one out", async () => {
      const first = await store.lease.campaign("turns", always);
      let hasWon = false;
      const waiting = store.other.lease.campaign("turns", always).then((tenure) => {
        hasWon = true;
        return tenure;
      });
      for (let i = 0; i < 20; i++) await writeUnder(first);
      expect(hasWon).toBe(false);
      await first.resign();
      expect(first.ended.aborted).toBe(true);
      const second = await waiting;
      await expect(writeUnder(first)).rejects.toMatchObject({ kind: "conflict", code: "FENCED" });
      await writeUnder(second, store.other.state);
      expect(second.fencingToken.revision.position).toBeGreaterThan(first.fencingToken.revision.position);
      await second.resign();
      await second.resign();
    });

    it("of one role says nothing about another", async () => {
      const [a, b] = await Promise.all([
        store.lease.campaign("role-a", always),
        store.other.lease.campaign("role-b", always),
      ]);
      await writeUnder(a);
      await writeUnder(b);
      expect(a.fencingToken.key).not.toBe(b.fencingToken.key);
      await Promise.all([a.resign(), b.resign()]);
    });

    it("is not waited for any longer once the candidate gives up", async () => {
      const holder = await store.lease.campaign("patience", always);
      const patience = new AbortController();
      const waiting = store.other.lease.campaign("patience", patience.signal);
      patience.abort(new Error("enough"));
      await expect(waiting).rejects.toThrow("enough");
      await expect(store.lease.campaign("patience", AbortSignal.abort(new Error("never")))).rejects.toThrow("never");
      await holder.resign();
      const next = await store.other.lease.campaign("patience", always);
      await writeUnder(next);
      await next.resign();
    });

    it("goes from hand to hand, and only the newest holder's writes are taken", async () => {
      const tenures: Tenure[] = [];
      await Promise.all(
        Array.from({ length: 6 }, async (_, i) => {
          const tenure = await (i % 2 === 0 ? store : store.other).lease.campaign("hands", always);
          await writeUnder(tenure);
          tenures.push(tenure);
          for (const earlier of tenures.slice(0, -1)) {
            await expect(writeUnder(earlier)).rejects.toMatchObject({ code: "FENCED" });
          }
          await tenure.resign();
        }),
      );
      const positions = tenures.map(({ fencingToken }) => fencingToken.revision.position);
      expect(positions).toEqual(positions.toSorted((a, b) => a - b));
      expect(new Set(positions).size).toBe(6);
    });

    it("refuses a role that is no token", async () => {
      for (const role of ["", "a/b/", "a b", "a.b"]) {
        await expect(store.lease.campaign(role, always), role).rejects.toMatchObject({ code: "BAD_KEY" });
      }
    });
  });
}
