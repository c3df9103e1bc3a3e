import fc from "fast-check";
import { expect, test } from "vitest";
import { SparseMap, SparseSet } from "../../../src/xds/protocol/sparse.ts";

const NAMES = ["a", "b", "c"];
const moves = fc.array(
  fc.record({ kind: fc.constantFrom("set", "delete", "clear"), name: fc.constantFrom(...NAMES), value: fc.nat() }),
);

test("a sparse map, and a sparse set, hold what a map holds", () => {
  fc.assert(
    fc.property(moves, (steps) => {
      const map = new Map<string, number>();
      const sparse = new SparseMap<number>();
      const set = new SparseSet();
      for (const { kind, name, value } of steps) {
        if (kind === "set") {
          map.set(name, value);
          sparse.set(name, value);
          set.add(name);
        } else if (kind === "delete") {
          const had = map.delete(name);
          expect([sparse.delete(name), set.delete(name)]).toEqual([had, had]);
        } else {
          map.clear();
          sparse.clear();
          for (const each of set) set.delete(each);
        }
        expect(new Map(sparse)).toEqual(map);
        expect([[...sparse.keys()], [...sparse.values()], [...set]]).toEqual([
          [...map.keys()],
          [...map.values()],
          [...map.keys()],
        ]);
        expect([sparse.size, set.size]).toEqual([map.size, map.size]);
        expect(NAMES.map((each) => [sparse.get(each), sparse.has(each), set.has(each)])).toEqual(
          NAMES.map((each) => [map.get(each), map.has(each), map.has(each)]),
        );
      }
    }),
  );
});
