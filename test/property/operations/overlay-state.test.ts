import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type OverlayChange, overlay } from "../../../src/operations/writing/overlay-state.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

type Objects = Readonly<Record<string, number | undefined>>;

/** Backends of two services by name, with the weight that tells their versions apart. */
const arbitraryObjects = fc.dictionary(
  fc.constantFrom("shop/a", "shop/b", "shop/c", "pay/a", "pay/b"),
  fc.integer({ min: 1, max: 9 }),
);
const parse = (name: string, weight: number) => objectsOf([{ kind: "Backend", name, address: "10.0.0.1:80", weight }]);
const stateWith = (objects: Objects) =>
  stateOf(Object.entries(objects).flatMap(([name, weight]) => (weight === undefined ? [] : parse(name, weight))));
const shown = (objects: Iterable<{ name: string; weight: number }>) =>
  Array.from(objects, ({ name, weight }) => `${name} ${weight}`).sort();

test("a state seen through an overlay is the state with the changes made", () => {
  fc.assert(
    fc.property(
      arbitraryObjects,
      arbitraryObjects,
      fc.subarray(["shop/a", "shop/b", "pay/a"]),
      (base, puts, deletes) => {
        const changes = [
          ...Object.entries(puts).flatMap(([name, weight]) =>
            parse(name, weight).map(([kind, object]): OverlayChange => ({ kind, name, object })),
          ),
          ...deletes.map((name): OverlayChange => ({ kind: "backend", name, object: undefined })),
        ];
        const seen = overlay(stateWith(base), changes);
        const made = stateWith({ ...base, ...puts, ...Object.fromEntries(deletes.map((name) => [name, undefined])) });
        expect(shown(seen.all("backend"))).toEqual(shown(made.all("backend")));
        for (const service of ["shop", "pay"]) {
          expect(shown(seen.backendsOf(service))).toEqual(shown(made.backendsOf(service)));
        }
        for (const name of ["shop/a", "shop/b", "shop/c", "pay/a", "pay/b"]) {
          expect(seen.get("backend", name)?.weight).toBe(made.get("backend", name)?.weight);
        }
      },
    ),
  );
});
