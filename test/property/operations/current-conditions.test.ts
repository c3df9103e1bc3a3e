import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Mirror } from "../../../src/control/mirror.ts";
import { conditions, conditionsOf } from "../../../src/domain/conditions.ts";
import { KINDS } from "../../../src/domain/name.ts";
import { CurrentConditions } from "../../../src/operations/observing/current-conditions.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const service = fc.constantFrom("shop", "pay", "nowhere");
const arbitraryObject = fc.oneof(
  fc.record({
    kind: fc.constant("Service"),
    name: fc.constantFrom("shop", "pay"),
    policy: fc.constantFrom("fast", ""),
  }),
  fc
    .tuple(service, fc.constantFrom("a", "b", "c"), fc.integer({ min: 1, max: 2 }))
    .map(([of, id, i]) => ({ kind: "Backend", name: `${of}/${id}`, address: `10.0.0.${i}:80` })),
  fc.record({
    kind: fc.constant("Listener"),
    name: fc.constantFrom("web", "other"),
    fleet: fc.constantFrom("edge", "none"),
    address: fc.constantFrom("0.0.0.0:80", "0.0.0.0:81"),
  }),
  fc.record({ kind: fc.constant("Fleet"), name: fc.constant("edge") }),
  fc.tuple(fc.constantFrom("r", "s"), service).map(([name, to]) => ({
    kind: "Route",
    name,
    listeners: ["web"],
    hosts: ["*"],
    rules: [{ to: [{ service: to }] }],
  })),
);

test("the conditions of one object are the same as when those of all are derived", () => {
  fc.assert(
    fc.property(fc.array(arbitraryObject, { maxLength: 16 }), (manifests) => {
      const state = stateOf(objectsOf(manifests));
      const all = conditions(state);
      const onFold = () => () => undefined;
      const one = new CurrentConditions({ ...state, onFold } as unknown as Mirror).reader();
      for (const kind of KINDS) {
        for (const { name } of state.all(kind)) expect(one(kind, name)).toEqual(conditionsOf(all, kind, name));
      }
    }),
  );
});
