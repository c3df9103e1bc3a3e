import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { BackendSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { openPlaneContext, TESTER } from "../../support/plane-context.ts";

test("what backends bring and take derives nothing anew for all other objects; what others change does", async () => {
  const plane = await openPlaneContext();
  const add = (name: string, policy: string) =>
    createObject(plane, TESTER, {
      kind: "service",
      message: create(ServiceSchema, { name, policy }),
      options: undefined,
    });
  await add("shop", "missing");
  const before = plane.conditions.ofOthers();
  expect([...before.keys()]).toEqual(["service/shop"]);
  const backend = create(BackendSchema, { name: "shop/a", target: { case: "address", value: "10.0.0.1:80" } });
  await registerBackend(plane, TESTER, { backend, expectedVersion: "" });
  expect(plane.conditions.ofOthers()).toBe(before);
  await add("pay", "missing");
  expect([...plane.conditions.ofOthers().keys()]).toEqual(["service/shop", "service/pay"]);
  await plane.close();
});
