import { expect, test } from "vitest";
import { removalBrake } from "../../../src/operations/objects/removal-brake.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const backends = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ kind: "Backend", name: `shop/b${i}`, address: `10.0.0.${i + 1}:80` }));
const stateWith = (...manifests: readonly ({ kind: string } & Record<string, unknown>)[]) =>
  stateOf(objectsOf([{ kind: "Service", name: "shop" }, ...manifests]));
const listener = (name: string, port: number) => ({
  kind: "Listener",
  name,
  fleet: "edge",
  address: `0.0.0.0:${port}`,
});

test.each([
  [10, 7, false],
  [10, 6, true],
  [2, 1, false],
  [2, 0, true],
  [1, 0, false],
  [100, 70, false],
])("of %i backends, leaving %i is braked: %s", (all, left, braked) => {
  const reasons = removalBrake(stateWith(...backends(all)), stateWith(...backends(left)));
  expect(reasons.some((reason) => reason.includes("service shop"))).toBe(braked);
});

test("the last listener of a fleet is kept, another one is not", () => {
  const both = stateWith(listener("a", 80), listener("b", 81));
  expect(removalBrake(both, stateWith(listener("a", 80)))).toEqual([]);
  expect(removalBrake(stateWith(listener("a", 80)), stateWith())).toHaveLength(1);
});

test("a listener that moves to another fleet counts as removed from its own", () => {
  const moved = { ...listener("a", 80), fleet: "other" };
  expect(removalBrake(stateWith(listener("a", 80)), stateWith(moved))).toHaveLength(1);
});

test("many objects of one kind are braked as well", () => {
  const fleets = (count: number) => Array.from({ length: count }, (_, i) => ({ kind: "Fleet", name: `f${i}` }));
  expect(removalBrake(stateWith(...fleets(5)), stateWith(...fleets(3)))).toHaveLength(1);
});
