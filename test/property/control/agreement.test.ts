import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Agreement, judgeAgreement } from "../../../src/control/judge-agreement.ts";
import { StateDigest } from "../../../src/control/state-digest.ts";
import type { Change, WatchEvent } from "../../../src/store/state-store.ts";

const revision = { epoch: 1, position: 9 };
const digests = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 7 });

/** What each of several replicas finds that hold these digests. */
function judgeAll(held: readonly string[]): readonly Agreement[] {
  return held.map((own, i) =>
    judgeAgreement(held.flatMap((other, j) => (i === j ? [] : [{ replica: `plane-${j}`, revision, own, other }]))),
  );
}

const goesOn = ({ kind }: Agreement) => kind === "agreed" || kind === "majority";

describe("replicas that compare their state", () => {
  it("go on when all agree, and find it so", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), (count) => {
        expect(judgeAll(Array(count).fill("a")).every(({ kind }) => kind === "agreed")).toBe(true);
      }),
    );
  });

  it("never go on with two different states, and go on with the one that most hold", () => {
    fc.assert(
      fc.property(digests, (held) => {
        const verdicts = judgeAll(held);
        const serving = new Set(held.filter((_, i) => goesOn(verdicts[i] as Agreement)));
        const majority = ["a", "b", "c"].filter((one) => held.filter((own) => own === one).length * 2 > held.length);
        expect([...serving]).toEqual(majority);
      }),
    );
  });

  it("name every replica that differs, and know a minority from a division", () => {
    fc.assert(
      fc.property(digests, (held) => {
        const hasMajority = held.some((one) => held.filter((own) => own === one).length * 2 > held.length);
        for (const [i, verdict] of judgeAll(held).entries()) {
          const others = held.flatMap((other, j) => (other === held[i] ? [] : `plane-${j}`));
          if (verdict.kind === "agreed") expect(others).toEqual([]);
          else expect(verdict.differing.map(({ replica }) => replica)).toEqual(others);
          if (!goesOn(verdict)) expect(verdict.kind).toBe(hasMajority ? "minority" : "divided");
        }
      }),
    );
  });
});

const KEYS = ["p/a", "p/b", "p/c", "system/x"];
const changes = fc.array(fc.tuple(fc.constantFrom(...KEYS), fc.option(fc.uint8Array({ maxLength: 4 }))), {
  maxLength: 30,
});

const commit = (position: number, ...told: readonly Change[]): WatchEvent => ({
  kind: "commit",
  revision: { epoch: 1, position },
  at: 0,
  changes: told,
});
const change = (key: string, value: Uint8Array | undefined): Change => ({ key, value, revision });
const state = (held: ReadonlyMap<string, Uint8Array>, position: number): WatchEvent => ({
  kind: "state",
  entries: [...held].map(([key, value]) => ({ key, value, revision })),
  revision: { epoch: 1, position },
  synced: true,
});

describe("the digest of a state", () => {
  it("is the same however the state came about, and another when anything differs", () => {
    fc.assert(
      fc.property(changes, fc.constantFrom(...KEYS), (written, touched) => {
        const held = new Map<string, Uint8Array>();
        const followed = new StateDigest();
        followed.fold(state(new Map([["p/gone", Uint8Array.of(1)]]), 0));
        followed.fold(commit(1, change("p/gone", undefined)));
        for (const [i, [key, value]] of written.entries()) {
          if (value === null) held.delete(key);
          else held.set(key, value);
          followed.fold(commit(i + 2, change(key, value ?? undefined)));
        }
        const last = written.length + 1;
        const read = new StateDigest();
        read.fold(state(new Map([["p/stale", Uint8Array.of(1)]]), 0));
        read.fold(state(new Map([...held].reverse()), last));
        expect(read.at({ epoch: 1, position: last })).toBe(followed.at({ epoch: 1, position: last }));

        const other = Uint8Array.of(...(held.get(touched) ?? []), 0);
        read.fold(commit(last + 1, change(touched, other)));
        expect(read.at({ epoch: 1, position: last + 1 })).not.toBe(read.at({ epoch: 1, position: last }));
      }),
    );
  });

  it("is told of revisions that were folded, and of no other", () => {
    const digest = new StateDigest();
    digest.fold({ kind: "state", entries: [], revision, synced: false });
    expect(digest.at(revision)).toBeUndefined();
    digest.fold({ kind: "state", entries: [], revision, synced: true });
    expect(digest.at(revision)).toBe("0000000000000000");
    expect(digest.at({ epoch: 2, position: 9 })).toBeUndefined();
  });
});
