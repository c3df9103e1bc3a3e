import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BackendSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { WriteOptionsSchema } from "../../../src/gen/fairlead/admin/v1/write_pb.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { unregisterBackend } from "../../../src/operations/membership/unregister-backend.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { StateStore } from "../../../src/store/state-store.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
  const message = create(ServiceSchema, { name: "shop" });
  await createObject(plane, TESTER, { kind: "service", message, options: undefined });
});
afterEach(() => plane.close());

const register = () =>
  registerBackend(plane, TESTER, {
    backend: create(BackendSchema, { name: "shop/a", target: { case: "address", value: "10.0.0.1:80" } }),
    expectedVersion: "",
  });

/** The plane, on a store that passes its barrier so. */
function passing(barrier: StateStore["barrier"]): PlaneContext {
  const { store } = plane;
  return {
    ...plane,
    store: {
      commit: (batch) => store.commit(batch),
      get: (key) => store.get(key),
      read: (prefix) => store.read(prefix),
      history: (key) => store.history(key),
      watch: (options) => store.watch(options),
      barrier,
      now: () => store.now(),
      close: () => store.close(),
    },
  };
}

test("that a thing is not there is decided anew on what others had written before", async () => {
  const late = passing(async () => {
    await register();
    return await plane.store.barrier();
  });
  await unregisterBackend(late, TESTER, { name: "shop/a", expectedVersion: "", allowRemoval: true });
  expect(plane.mirror.get("backend", "shop/a")).toBeUndefined();
});

test("a replica that does not keep up says so instead", async () => {
  const behind = {
    ...passing(async () => ({ epoch: plane.mirror.revision.epoch, position: 1_000_000 })),
    clock: { ...systemClock, after: (_: number, run: () => void) => systemClock.after(0, run) },
  };
  await expect(
    unregisterBackend(behind, TESTER, { name: "shop/a", expectedVersion: "", allowRemoval: true }),
  ).rejects.toMatchObject({
    kind: "unavailable",
    code: "REPLICA_BEHIND",
  });
});

test("a dry run promises nothing, and does not ask the store", async () => {
  const away = passing(() => Promise.reject(new Error("asked")));
  const options = create(WriteOptionsSchema, { validateOnly: true });
  await expect(
    unregisterBackend(away, TESTER, { name: "shop/a", expectedVersion: "", allowRemoval: true, options }),
  ).rejects.toMatchObject({ code: "BACKEND_NOT_FOUND" });
});
