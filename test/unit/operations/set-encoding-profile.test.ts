import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodingProfile } from "../../../src/domain/encoding-profile.ts";
import { ApplyRequestSchema } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { WriteOptionsSchema } from "../../../src/gen/fairlead/admin/v1/write_pb.ts";
import { anyObject } from "../../../src/operations/objects/any-object.ts";
import { apply } from "../../../src/operations/objects/apply.ts";
import { setEncodingProfile } from "../../../src/operations/objects/set-encoding-profile.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

function object(kind: "fleet" | "listener" | "service" | "backend" | "route", json: object) {
  const read = messageFromJson(kind, json);
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  return anyObject(kind, read.message);
}

test("a dry run of another encoding profile tells whom it reaches, and writes nothing", async () => {
  const objects = [
    object("fleet", { name: "edge" }),
    object("listener", { name: "web", fleet: "edge", address: "127.0.0.1:80" }),
    object("service", { name: "shop" }),
    object("backend", { name: "shop/a", address: "10.0.0.1:81" }),
    object("route", { name: "shop", listeners: ["web"], hosts: ["*"], rules: [{ to: [{ service: "shop" }] }] }),
  ];
  await apply(plane, TESTER, create(ApplyRequestSchema, { objects }));
  plane.nodes.set({ id: "edge-1" }, { state: "done" });
  const { revision } = plane.mirror;
  const options = create(WriteOptionsSchema, { validateOnly: true });
  const dry = await setEncodingProfile(plane, TESTER, { profile: 2, options });
  expect(dry).toMatchObject({ revision: "", previousProfile: 1 });
  expect(dry.reach).toMatchObject([{ fleet: "edge", proxies: 1, types: [{ type: "EDS", changed: 1, removed: 0 }] }]);
  expect([encodingProfile(plane.mirror), (await plane.store.read("")).revision]).toEqual([1, revision]);
  await expect(setEncodingProfile(plane, TESTER, { profile: 9, options })).rejects.toMatchObject({
    code: "PROFILE_UNSUPPORTED",
  });

  const done = await setEncodingProfile(plane, TESTER, { profile: 2, options: undefined });
  expect(done).toMatchObject({ previousProfile: 1, reach: [] });
  expect(encodingProfile(plane.mirror)).toBe(2);
});
