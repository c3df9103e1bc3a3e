import { create } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { storeKey } from "../../../src/domain/name.ts";
import { type AnyObject, ApplyRequestSchema } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { FleetSchema } from "../../../src/gen/fairlead/admin/v1/fleet_pb.ts";
import { MetaSchema } from "../../../src/gen/fairlead/admin/v1/meta_pb.ts";
import { importState } from "../../../src/operations/archive/import-state.ts";
import { anyObject } from "../../../src/operations/objects/any-object.ts";
import { apply } from "../../../src/operations/objects/apply.ts";
import { getObject } from "../../../src/operations/objects/get-object.ts";
import { rollback } from "../../../src/operations/objects/rollback.ts";
import { updateObject } from "../../../src/operations/objects/update-object.ts";
import { explainBackend } from "../../../src/operations/observing/explain-backend.ts";
import { messageFromJson, messageToJson } from "../../../src/schema/object-json.ts";
import { encodeStored } from "../../../src/schema/stored-object.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

function object(kind: "fleet" | "listener" | "service" | "backend" | "route" | "policy", json: object): AnyObject {
  const read = messageFromJson(kind, json);
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  return anyObject(kind, read.message);
}
const applied = (...objects: readonly AnyObject[]) =>
  apply(plane, TESTER, create(ApplyRequestSchema, { objects: [...objects] }));
const profile = (name = "edge") => plane.mirror.get("fleet", name)?.profile;
/** As it is in the store of an earlier release. */
async function stored(kind: "fleet" | "route", json: Record<string, unknown>): Promise<void> {
  const read = messageFromJson(kind, json);
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  const message = { ...read.message, meta: create(MetaSchema, { uid: "old", generation: 1n }) };
  const ops = [{ op: "put", key: storeKey(kind, String(json["name"])), value: encodeStored(kind, message) }] as const;
  const cause = { actor: "test", operation: "test", reason: "", requestId: "" };
  await plane.mirror.reach((await plane.store.commit({ ops, cause })).revision);
}
async function imported(message: object): Promise<void> {
  async function* requests() {
    const any = { object: { case: "fleet", value: create(FleetSchema, { name: "edge", ...message }) } };
    yield {
      options: { replace: true },
      exportedRevision: "",
      objects: [{ object: { case: "any", value: any } }],
    } as never;
  }
  await importState(plane, TESTER, requests());
}

describe("the profile of a fleet", () => {
  test("is the newest for one that is made, whatever its manifest says", async () => {
    await applied(object("fleet", { name: "edge" }), object("fleet", { name: "other", profile: 1 }));
    expect([profile(), profile("other")]).toEqual([2, 2]);
    expect(messageToJson("fleet", await getObject(plane, "fleet", "edge"))).toMatchObject({ profile: 2 });
  });

  test("of one from before there were profiles is the first, whatever is written of it", async () => {
    await stored("fleet", { name: "edge" });
    await applied(
      object("fleet", { name: "edge", profile: 2, labels: { tier: "1" }, backendNetworks: ["10.0.0.0/8"] }),
    );
    expect([profile(), plane.mirror.get("fleet", "edge")?.meta.generation]).toEqual([1, 2]);
    await rollback(plane, TESTER, {
      kind: "fleet",
      name: "edge",
      toGeneration: 2n,
      expectedVersion: "",
      options: undefined,
    });
    expect(profile()).toBe(1);
  });

  test("is nothing that a client updates", async () => {
    await applied(object("fleet", { name: "edge" }));
    const update = updateObject(plane, TESTER, {
      kind: "fleet",
      message: create(FleetSchema, { name: "edge", profile: 1 }),
      updateMask: create(FieldMaskSchema, { paths: ["profile"] }),
      expectedVersion: "",
      options: undefined,
    });
    await expect(update).rejects.toMatchObject({
      violations: [{ field: "profile", message: "must not be named: it is output only" }],
    });
  });

  test("comes with an import, which knows of one from before, and of one that is new", async () => {
    await imported({ meta: create(MetaSchema, { uid: "u1" }) });
    expect(profile()).toBe(1);
    await imported({});
    expect(profile()).toBe(1);
    await imported({ meta: create(MetaSchema, { uid: "u1" }), profile: 2 });
    expect(profile()).toBe(2);
    await imported({ meta: create(MetaSchema, { uid: "u1" }) });
    expect(profile()).toBe(2);
  });

  test("is the newest for a fleet of an import that has no identity yet", async () => {
    await imported({});
    expect(profile()).toBe(2);
  });
});

describe("what is known of ejections", () => {
  const shop = (percent?: number) => [
    object("fleet", { name: "edge" }),
    object("listener", { name: "web", fleet: "edge", address: "0.0.0.0:80" }),
    object("service", { name: "shop" }),
    ...(percent === undefined
      ? []
      : [object("policy", { name: "shop", outlierDetection: { maxEjectionPercent: percent } })]),
    ...[1, 2, 3].map((i) => object("backend", { name: `shop/${i}`, address: `10.0.0.${i}:80` })),
    object("route", { name: "shop", listeners: ["web"], hosts: ["*"], rules: [{ to: [{ service: "shop" }] }] }),
  ];

  test("is that each proxy may, how many, and where to look", async () => {
    await applied(...shop());
    const { ejection } = await explainBackend(plane, "shop/1");
    expect(ejection).toMatch(/^not known: .* 5 consecutive 5xx responses, in fleet edge at most 1 of 3; .*\/clusters/);
  });

  test("is that none may where the share is too small, or it is switched off", async () => {
    await applied(...shop(10));
    expect((await explainBackend(plane, "shop/1")).ejection).toContain("proxies eject none: in fleet edge none of 3");
    await applied(object("policy", { name: "shop", outlierDetection: { disabled: true } }));
    expect((await explainBackend(plane, "shop/1")).ejection).toBe("");
  });
});

describe("a route that no request can match", () => {
  const old = { name: "old", listeners: ["web"], hosts: ["*"] };
  const rules = [{ match: { path: { exact: "/%7Ejoe" } }, to: [{ service: "shop" }] }];

  test("is refused when it is written, with what to write instead", async () => {
    await expect(applied(object("route", { ...old, rules }))).rejects.toMatchObject({
      violations: [{ field: "objects[0].rules[0].match.path.exact", message: expect.stringContaining("`/~joe`") }],
    });
  });

  test("is read where it is stored, and says so", async () => {
    await stored("route", { ...old, rules });
    const { conditions } = await getObject(plane, "route", "old");
    expect(conditions.find(({ reason }) => reason === "RuleNeverMatches")).toMatchObject({
      type: "Accepted",
      ok: false,
      message: "rules[0] can never match: proxies make `/~joe` of it before they match: write that",
    });
  });
});
