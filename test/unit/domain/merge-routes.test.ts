import { expect, test } from "vitest";
import { mergeRoutes } from "../../../src/domain/merge-routes.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const TO = [{ service: "shop" }];
const route = (name: string, day: number, more: object) => ({
  kind: "Route",
  name,
  meta: { createTime: `2026-01-0${day}T00:00:00Z` },
  listeners: ["web"],
  hosts: ["shop.example"],
  ...more,
});
const merge = (...manifests: Parameters<typeof objectsOf>[0]) =>
  mergeRoutes(stateOf(objectsOf(manifests)).all("route"));
const match = (path: object, more: object = {}) => ({ match: { path, ...more }, to: TO });

test("rules are tried by priority, exact path, longest prefix, regex, number of matchers, age of the route, name", () => {
  const headers = [{ name: "x-a", present: true }];
  const { groups } = merge(
    route("newer", 2, {
      rules: [
        match({ regex: "/.*" }),
        match({ prefix: "/api" }, { methods: ["GET"] }),
        match({ prefix: "/api/v2" }),
        match({ exact: "/api" }),
        { ...match({ regex: "/first" }), priority: 1 },
      ],
    }),
    route("older", 1, { rules: [match({ prefix: "/api" }), match({ prefix: "/api" }, { headers })] }),
    route("a-newer", 2, { rules: [match({ prefix: "/api" }, { methods: ["PUT"] })] }),
  );
  expect(groups).toHaveLength(1);
  expect(groups[0]?.rules.map(({ route, index }) => `${route.name} ${index}`)).toEqual([
    "newer 4",
    "newer 3",
    "newer 2",
    "older 1",
    "a-newer 0",
    "newer 1",
    "older 0",
    "newer 0",
  ]);
});

test("of two rules that match the same the older route's wins, and the other is told where", () => {
  const rules = [match({ prefix: "/api" })];
  const { groups, lost } = merge(
    route("a", 2, { rules, hosts: ["shop.example", "a.example"] }),
    route("b", 1, { rules, hosts: ["shop.example"] }),
  );
  expect(lost).toMatchObject([
    { loser: { route: { name: "a" } }, winner: { route: { name: "b" } }, hosts: ["shop.example"] },
  ]);
  expect(groups.map(({ hosts, rules }) => [hosts, rules.map(({ route }) => route.name)])).toEqual([
    [["a.example"], ["a"]],
    [["shop.example"], ["b"]],
  ]);
});

test("a rule behind one that matches all of it is told so, one that another could still pass to is not", () => {
  const { shadowed } = merge(
    route("a", 1, {
      rules: [
        match({ regex: "/item/.*" }),
        match({ prefix: "/" }),
        match({ prefix: "/api" }),
        { ...match({ prefix: "/up" }), priority: 1 },
        match({ exact: "/up/x" }),
        match({ prefix: "/upper" }),
      ],
    }),
  );
  expect(shadowed.map(({ loser, winner }) => [loser.index, winner.index])).toEqual([
    [4, 3],
    [0, 1],
  ]);
});
