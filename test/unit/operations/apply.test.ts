import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Kind } from "../../../src/domain/name.ts";
import {
  Change_Action as Action,
  type AnyObject,
  ApplyRequestSchema,
  type ApplyResponse,
} from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { Backend_State, BackendSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { drainBackend } from "../../../src/operations/membership/drain-backend.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { anyObject } from "../../../src/operations/objects/any-object.ts";
import { apply } from "../../../src/operations/objects/apply.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

function object(kind: Exclude<Kind, "health">, json: Record<string, unknown>): AnyObject {
  const read = messageFromJson(kind, json);
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  return anyObject(kind, read.message);
}

const order = (objects: readonly AnyObject[], more: Record<string, unknown> = {}) =>
  apply(plane, TESTER, create(ApplyRequestSchema, { objects: [...objects], owner: "shop-team", ...more }));

const shop = object("service", { name: "shop" });
const fleet = object("fleet", { name: "edge" });
const web = object("listener", { name: "web", fleet: "edge", address: "0.0.0.0:10000" });
const route = object("route", {
  name: "shop",
  listeners: ["web"],
  hosts: ["*"],
  rules: [{ to: [{ service: "shop" }] }],
});
const backend = (i: number) => object("backend", { name: `shop/b${i}`, address: `10.0.0.${i}:80` });
const WORDS: Readonly<Record<number, string>> = {
  [Action.UNCHANGED]: "UNCHANGED",
  [Action.CREATE]: "CREATE",
  [Action.UPDATE]: "UPDATE",
  [Action.DELETE]: "DELETE",
};
const actions = (changes: readonly { kind: string; name: string; action: number }[]) =>
  changes.map(({ kind, name, action }) => `${WORDS[action]} ${kind} ${name}`);

test("creates what is new, writes what differs, and leaves the rest alone", async () => {
  const first = await order([shop, fleet, web, route, backend(1)]);
  expect(actions(first.changes)).toEqual([
    "CREATE service shop",
    "CREATE fleet edge",
    "CREATE listener web",
    "CREATE route shop",
    "CREATE backend shop/b1",
  ]);
  const again = await order([shop, fleet, web, route, backend(1)]);
  expect(new Set(again.changes.map(({ action }) => action))).toEqual(new Set([Action.UNCHANGED]));
  expect(again.revision).toBe("");
  const changed = await order([object("service", { name: "shop", drainTime: "5s" }), fleet, web, route, backend(1)]);
  expect(changed.changes[0]).toMatchObject({
    action: Action.UPDATE,
    fields: [{ path: "drainTime", from: "", to: '"5s"' }],
  });
  expect(plane.mirror.get("service", "shop")?.meta.generation).toBe(2);
  expect(plane.mirror.get("fleet", "edge")?.meta.generation).toBe(1);
});

test("one that finds all as given says at which revision that is: the newest of what was given", async () => {
  const first = await order([shop]);
  const second = await order([fleet]);
  await order([web]);
  expect(second.presentRevision).toBe("");
  expect((await order([shop])).presentRevision).toBe(first.revision);
  expect((await order([fleet, shop])).presentRevision).toBe(second.revision);
  expect((await order([])).presentRevision).toBe("");
});

test("one commit makes all of it", async () => {
  await order([shop, fleet, web, route]);
  const revisions = ["service shop", "fleet edge", "listener web", "route shop"].map((id) => {
    const [kind, name] = id.split(" ") as [Kind, string];
    return plane.mirror.get(kind, name)?.meta.version;
  });
  expect(new Set(revisions).size).toBe(1);
});

test("one bad object changes nothing, and every bad field is named with its place", async () => {
  await expect(
    order([shop, object("backend", { name: "shop/B", address: "10.0.0.1:0" }), object("listener", { name: "x" })]),
  ).rejects.toMatchObject({
    kind: "invalid",
    violations: expect.arrayContaining([
      expect.objectContaining({ field: "objects[1].name" }),
      expect.objectContaining({ field: "objects[1].address" }),
      expect.objectContaining({ field: "objects[2].address" }),
    ]),
  });
  expect([...plane.mirror.all("service")]).toEqual([]);
});

test("the same object twice is refused", async () => {
  await expect(order([shop, object("service", { name: "services/shop" })])).rejects.toMatchObject({
    kind: "invalid",
    violations: [expect.objectContaining({ field: "objects[1].name" })],
  });
});

test("a backend of no service is refused, one whose service comes along is not", async () => {
  await expect(order([backend(1)])).rejects.toMatchObject({ kind: "notFound", code: "SERVICE_NOT_FOUND" });
  await order([backend(1), shop]);
});

test("a backend that drains goes on draining", async () => {
  await order([shop, backend(1)]);
  await drainBackend(plane, TESTER, { name: "shop/b1", undo: false, expectedVersion: "", allowRemoval: true });
  const { changes } = await order([shop, object("backend", { name: "shop/b1", address: "10.0.0.1:80", weight: 7 })]);
  expect(changes[1]?.action).toBe(Action.UPDATE);
  expect(plane.mirror.stored("backend", "shop/b1")?.message).toMatchObject({
    weight: 7,
    state: Backend_State.DRAINING,
  });
});

describe("pruning", () => {
  test("deletes only what the same owner applied before", async () => {
    await order([shop, object("service", { name: "old" })]);
    await order([object("service", { name: "theirs" })], { owner: "others" });
    const { changes } = await order([shop], { prune: true });
    expect(actions(changes)).toEqual(["UNCHANGED service shop", "DELETE service old"]);
    expect([...plane.mirror.all("service")].map(({ name }) => name).sort()).toEqual(["shop", "theirs"]);
  });

  test("needs an owner", async () => {
    await expect(order([shop], { owner: "", prune: true })).rejects.toMatchObject({ kind: "invalid" });
  });

  test("is refused when it would take more than 30 % of a service's backends, unless that is allowed", async () => {
    const all = Array.from({ length: 10 }, (_, i) => backend(i + 1));
    await order([shop, ...all]);
    await expect(order([shop, ...all.slice(0, 6)], { prune: true })).rejects.toMatchObject({
      kind: "precondition",
      code: "REMOVAL_TOO_LARGE",
    });
    expect([...plane.mirror.backendsOf("shop")]).toHaveLength(10);
    await order([shop, ...all.slice(0, 7)], { prune: true });
    await order([shop], { prune: true, allowRemoval: true });
    expect([...plane.mirror.backendsOf("shop")]).toEqual([]);
  });

  test("spares what others still refer to", async () => {
    await order([shop]);
    await registerBackend(plane, TESTER, {
      backend: create(BackendSchema, { name: "shop/by-hand", target: { case: "address", value: "10.0.0.9:80" } }),
      expectedVersion: "",
    });
    await expect(order([], { prune: true })).rejects.toMatchObject({ code: "STILL_REFERRED_TO" });
  });

  test("keeps the last listener of a fleet", async () => {
    await order([fleet, web]);
    await expect(order([fleet], { prune: true })).rejects.toMatchObject({ code: "REMOVAL_TOO_LARGE" });
  });
});

describe("addresses", () => {
  const other = object("listener", { name: "other", fleet: "edge", address: "0.0.0.0:10000" });

  test("one that another listener of the fleet holds is refused, and the holder is named", async () => {
    await order([fleet, web]);
    await expect(order([other])).rejects.toMatchObject({
      kind: "precondition",
      code: "ADDRESS_IN_USE",
      details: { holder: "web" },
    });
  });

  test("two that arrive together are left to derivation", async () => {
    await order([fleet, web, other]);
    expect([...plane.mirror.all("listener")]).toHaveLength(2);
  });

  test("a listener of gRPC clients has none, and a fleet has one of them", async () => {
    const calls = (name: string) => object("listener", { name, fleet: "edge", protocol: "GRPC" });
    await order([fleet, web, calls("calls")]);
    await expect(order([calls("more")])).rejects.toMatchObject({
      code: "ADDRESS_IN_USE",
      message: expect.stringContaining("a fleet has one listener of protocol GRPC: attach the routes to that one"),
      violations: [{ field: "objects[0].protocol" }],
    });
    await order([
      object("fleet", { name: "core" }),
      object("listener", { name: "c", fleet: "core", protocol: "GRPC" }),
    ]);
  });

  test("two listeners may swap theirs", async () => {
    const at = (name: string, port: number) => object("listener", { name, fleet: "edge", address: `0.0.0.0:${port}` });
    await order([fleet, at("a", 80), at("b", 81)]);
    await order([at("a", 81), at("b", 80)]);
    expect(plane.mirror.get("listener", "a")).toMatchObject({ port: 81 });
  });
});

describe("conditions that a change creates", () => {
  const told = ({ conditions }: ApplyResponse) =>
    conditions.map(({ kind, name, condition }) => `${kind} ${name} ${condition?.reason}`);
  const toCart = object("route", {
    name: "shop",
    listeners: ["web"],
    hosts: ["*"],
    rules: [{ to: [{ service: "cart" }] }],
  });
  const strict = { strict: true };

  test("are told once, by a dry run too: a reference to nothing", async () => {
    await order([shop, fleet, web]);
    expect(told(await order([toCart], { options: { validateOnly: true } }))).toEqual(["route shop UnknownService"]);
    expect(told(await order([toCart]))).toEqual(["route shop UnknownService"]);
    expect(told(await order([toCart, object("service", { name: "other" })]))).toEqual([]);
    expect(told(await order([object("service", { name: "cart" })], strict))).toEqual([]);
  });

  test("a conflict that an object loses, and an address that is given twice", async () => {
    await order([shop, fleet, web, route, backend(1)]);
    const later = object("route", {
      name: "later",
      listeners: ["web"],
      hosts: ["*"],
      rules: [{ to: [{ service: "shop" }] }],
    });
    expect(told(await order([later]))).toEqual(["route later RuleConflict"]);
    expect(told(await order([object("backend", { name: "shop/b2", address: "10.0.0.1:80" })]))).toEqual([
      "backend shop/b2 DuplicateAddress",
    ]);
    const narrow = object("fleet", { name: "edge", backendNetworks: ["10.9.0.0/16"] });
    expect(told(await order([narrow]))).toEqual(["backend shop/b1 OutsideNetworks", "backend shop/b2 OutsideNetworks"]);
  });

  test("of what is not given: who refers to what is pruned", async () => {
    await order([shop, fleet, web]);
    await order([route], { owner: "others" });
    const answer = await order([fleet, web], { prune: true, allowRemoval: true });
    expect(told(answer)).toEqual(["route shop UnknownService"]);
  });

  test("are refused with strict, each at its object, and nothing is written", async () => {
    await order([shop, fleet, web]);
    const before = plane.mirror.revision;
    await expect(order([shop, toCart], strict)).rejects.toMatchObject({
      kind: "precondition",
      code: "CREATES_CONDITIONS",
      violations: [
        { field: "objects[1]", message: "UnknownService: there is no service cart; create it, or name another one" },
      ],
    });
    expect(plane.mirror.revision).toEqual(before);
  });
});

test("owners are kept when that is asked for; what has none gets one", async () => {
  await order([shop], { owner: "others" });
  await registerBackend(plane, TESTER, {
    backend: create(BackendSchema, { name: "shop/by-hand", target: { case: "address", value: "10.0.0.9:80" } }),
    expectedVersion: "",
  });
  const byHand = object("backend", { name: "shop/by-hand", address: "10.0.0.9:80" });
  const { changes } = await order([shop, fleet, byHand], { keepOwners: true });
  expect(actions(changes)).toEqual(["UNCHANGED service shop", "CREATE fleet edge", "UPDATE backend shop/by-hand"]);
  expect(plane.mirror.get("service", "shop")?.meta.owner).toBe("others");
  expect(plane.mirror.get("fleet", "edge")?.meta.owner).toBe("shop-team");
  expect(plane.mirror.get("backend", "shop/by-hand")?.meta.owner).toBe("shop-team");
  await order([shop]);
  expect(plane.mirror.get("service", "shop")?.meta.owner).toBe("shop-team");
});

test("validate_only tells the changes and what the fleets would be sent, and writes nothing", async () => {
  await order([shop, fleet, web, route, backend(1)]);
  const before = plane.mirror.revision;
  plane.nodes.set({ id: "edge-1", fleet: "edge" }, { state: "done" });
  const { changes, reach, revision } = await order([backend(1), backend(2)], { options: { validateOnly: true } });
  expect(actions(changes)).toEqual(["UNCHANGED backend shop/b1", "CREATE backend shop/b2"]);
  expect(reach).toMatchObject([{ fleet: "edge", proxies: 1, types: [{ type: "EDS", changed: 1, removed: 0 }] }]);
  expect(revision).toBe("");
  expect(plane.mirror.revision).toEqual(before);
});

test("more than one batch of the store can hold is refused as a whole", async () => {
  const many = Array.from({ length: 1000 }, (_, i) => object("service", { name: `s${i}` }));
  await expect(order(many)).rejects.toMatchObject({ kind: "exhausted", code: "BATCH_TOO_LARGE" });
});

test("an object of more than the limit is refused", async () => {
  const annotations = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, "x".repeat(4096)]));
  const rules = Array.from({ length: 256 }, (_, i) => ({
    match: {
      path: { exact: `/${i}${"x".repeat(1000)}` },
      headers: Array.from({ length: 3 }, (_, h) => ({ name: `h${h}`, exact: "x".repeat(1000) })),
    },
    to: [{ service: "shop" }],
  }));
  const large = object("route", { name: "large", listeners: ["web"], hosts: ["*"], rules, annotations });
  await expect(order([large])).rejects.toMatchObject({ kind: "exhausted", code: "VALUE_TOO_LARGE" });
});
