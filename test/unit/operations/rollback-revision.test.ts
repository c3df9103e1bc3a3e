import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  Change_Action as Action,
  type AnyObject,
  AnyObjectSchema,
} from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { WriteOptionsSchema } from "../../../src/gen/fairlead/admin/v1/write_pb.ts";
import { apply } from "../../../src/operations/objects/apply.ts";
import { deleteObject } from "../../../src/operations/objects/delete-object.ts";
import { rollbackRevision } from "../../../src/operations/objects/rollback-revision.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

const service = (name: string, seconds: number): AnyObject =>
  create(AnyObjectSchema, { object: { case: "service", value: { name, drainTime: { seconds: BigInt(seconds) } } } });
const route = (name: string, to: string): AnyObject =>
  create(AnyObjectSchema, {
    object: { case: "route", value: { name, listeners: ["web"], hosts: [name], rules: [{ to: [{ service: to }] }] } },
  });
const backend = (name: string, weight = 1): AnyObject =>
  create(AnyObjectSchema, {
    object: { case: "backend", value: { name, weight, target: { case: "address", value: "10.0.0.1:80" } } },
  });
const change = (objects: readonly AnyObject[], more: { prune?: boolean } = {}) =>
  apply(plane, TESTER, {
    objects: [...objects],
    owner: "shop.yaml",
    prune: more.prune ?? false,
    allowRemoval: true,
    keepOwners: false,
    strict: false,
  });
const back = (revision: string, more: { allowRemoval?: boolean; validateOnly?: boolean } = {}) =>
  rollbackRevision(plane, TESTER, {
    revision,
    allowRemoval: more.allowRemoval ?? false,
    options: create(WriteOptionsSchema, { validateOnly: more.validateOnly ?? false, reason: "broke" }),
  });
const drainTimeOf = (name: string) => plane.mirror.get("service", name)?.drainTimeMs;

test("a whole apply is taken back in one commit: what it changed, made and deleted", async () => {
  await change([service("a", 1), service("b", 1), route("old", "a")]);
  const { revision } = await change([service("a", 2), service("b", 1), service("c", 1), route("new", "c")], {
    prune: true,
  });
  const planned = await back(revision, { validateOnly: true });
  expect(drainTimeOf("a")).toBe(2_000);
  const { changes } = await back(revision);
  expect(changes).toEqual(planned.changes);
  expect(changes.map(({ kind, name, action }) => [kind, name, action])).toEqual([
    ["route", "old", Action.CREATE],
    ["service", "a", Action.UPDATE],
    ["route", "new", Action.DELETE],
    ["service", "c", Action.DELETE],
  ]);
  expect(changes[1]?.fields).toMatchObject([{ path: "drainTime", from: '"2s"', to: '"1s"' }]);
  expect([drainTimeOf("a"), drainTimeOf("b"), drainTimeOf("c")]).toEqual([1_000, 1_000, undefined]);
  expect(plane.mirror.get("route", "old")).toBeDefined();
  const [last, before] = await plane.journal.list({ limit: 2 });
  expect(last).toMatchObject({ operation: "rollback-revision", reason: "broke" });
  expect(last?.keys).toHaveLength(4);
  expect(before?.operation).toBe("apply");
});

test("what it made may be in use by now: that is refused as it is elsewhere", async () => {
  const { revision } = await change([service("a", 1)]);
  await change([service("a", 1), backend("a/1")]);
  await expect(back(revision)).rejects.toMatchObject({ code: "STILL_REFERRED_TO" });
  expect(plane.mirror.get("backend", "a/1")).toBeDefined();
});

test("backends that it registered go, and one that it changed stands in the way: no earlier content is kept", async () => {
  const { revision } = await change([service("a", 1), backend("a/1")]);
  const { revision: weighed } = await change([service("a", 2), backend("a/1", 7)]);
  await expect(back(weighed)).rejects.toMatchObject({ code: "NO_HISTORY", details: { objects: "backend a/1" } });
  expect(drainTimeOf("a")).toBe(2_000);
  await expect(back(revision)).rejects.toMatchObject({ code: "CHANGED_SINCE" });
  const { revision: more } = await change([service("b", 1), backend("b/1")]);
  await back(more, { allowRemoval: true });
  expect([plane.mirror.get("service", "b"), plane.mirror.get("backend", "b/1")]).toEqual([undefined, undefined]);
});

test("what changed since is not undone with it", async () => {
  await change([service("a", 1), service("b", 1)]);
  const { revision } = await change([service("a", 2), service("b", 2)]);
  await change([service("b", 3)]);
  await expect(back(revision)).rejects.toMatchObject({ code: "CHANGED_SINCE", details: { objects: "service b" } });
  await deleteObject(plane, TESTER, "service", { name: "a", force: false, expectedVersion: "" });
  await expect(back(revision)).rejects.toMatchObject({ details: { objects: "service a,service b" } });
  expect(drainTimeOf("b")).toBe(3_000);
});

test("a revision that is none, or that nobody committed, is said", async () => {
  await expect(back("soon")).rejects.toMatchObject({ kind: "invalid" });
  await expect(back("1.99999")).rejects.toMatchObject({ kind: "notFound", code: "COMMIT_NOT_FOUND" });
});
