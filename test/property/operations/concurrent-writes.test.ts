import { create } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ControlPlaneError } from "../../../src/domain/errors.ts";
import { BackendSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { WriteOptionsSchema } from "../../../src/gen/fairlead/admin/v1/write_pb.ts";
import { drainBackend } from "../../../src/operations/membership/drain-backend.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

const RUNS = { numRuns: 15 };

async function withShop<T>(run: (plane: PlaneContext) => Promise<T>): Promise<T> {
  const plane = await openPlaneContext();
  try {
    const message = create(ServiceSchema, { name: "shop" });
    await createObject(plane, TESTER, { kind: "service", message, options: undefined });
    return await run(plane);
  } finally {
    await plane.close();
  }
}

const register = (plane: PlaneContext, weight: number, expectedVersion = "", requestId = "") =>
  registerBackend(plane, TESTER, {
    backend: create(BackendSchema, { name: "shop/a", target: { case: "address", value: "10.0.0.1:80" }, weight }),
    expectedVersion,
    options: create(WriteOptionsSchema, { requestId }),
  });
const codesOf = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.flatMap((result) => (result.status === "rejected" ? [(result.reason as ControlPlaneError).code] : []));

test("law 2, uniqueness: of any number of writers with the same expected version exactly one wins", () =>
  fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 2, max: 1000 }), { minLength: 2, maxLength: 12 }), (weights) =>
      withShop(async (plane) => {
        const { revision } = await register(plane, 1);
        const results = await Promise.allSettled(weights.map((weight) => register(plane, weight, revision)));
        const winners = results.flatMap((result, i) => (result.status === "fulfilled" ? [weights[i]] : []));
        expect(winners).toHaveLength(1);
        expect(plane.mirror.get("backend", "shop/a")).toMatchObject({ weight: winners[0], meta: { generation: 2 } });
        expect(codesOf(results)).toEqual(weights.slice(1).map(() => "VERSION_MISMATCH"));
      }),
    ),
    RUNS,
  ));

test("law 2, uniqueness: of any number of creators exactly one makes it", () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 12 }), (count) =>
      withShop(async (plane) => {
        const message = create(ServiceSchema, { name: "other" });
        const results = await Promise.allSettled(
          Array.from({ length: count }, () =>
            createObject(plane, TESTER, { kind: "service", message, options: undefined }),
          ),
        );
        expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        expect(codesOf(results)).toEqual(Array.from({ length: count - 1 }, () => "ALREADY_EXISTS"));
      }),
    ),
    RUNS,
  ));

/** Nobody registers what is about to go; that is no lost race. */
function unlessDraining(error: unknown): void {
  expect(error).toMatchObject({ code: "BACKEND_DRAINING" });
}

test("law 3, order: writers without an expected version all get through, and generations only move forward", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.boolean()), { minLength: 1, maxLength: 10 }),
      (writes) =>
        withShop(async (plane) => {
          await register(plane, 1);
          const generations: number[] = [];
          const stop = plane.mirror.onFold(() => {
            generations.push(plane.mirror.get("backend", "shop/a")?.meta.generation ?? 0);
          });
          await Promise.all(
            writes.map((write) =>
              typeof write === "number"
                ? register(plane, write).catch(unlessDraining)
                : drainBackend(plane, TESTER, { name: "shop/a", undo: write, expectedVersion: "", allowRemoval: true }),
            ),
          );
          stop();
          expect(generations).toEqual(generations.toSorted((a, b) => a - b));
          expect(new Set(generations).size).toBe(generations.length);
        }),
    ),
    RUNS,
  ));

test("a request that is tried many times at once is written once", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom("r1", "r2", "r3"), { minLength: 1, maxLength: 12 }), (ids) =>
      withShop(async (plane) => {
        const answers = await Promise.all(ids.map((id) => register(plane, Number(id.slice(1)), "", id)));
        const byId = new Map<string, Set<string>>();
        for (const [i, { revision }] of answers.entries()) {
          const id = ids[i] ?? "";
          byId.set(id, (byId.get(id) ?? new Set()).add(revision));
        }
        for (const revisions of byId.values()) expect(revisions.size).toBe(1);
        expect(await plane.journal.list({ limit: 100 })).toHaveLength(byId.size + 1);
      }),
    ),
    RUNS,
  ));
