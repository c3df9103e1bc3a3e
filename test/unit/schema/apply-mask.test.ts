import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Backend_State, BackendSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { MetaSchema } from "../../../src/gen/fairlead/admin/v1/meta_pb.ts";
import { Policy_Algorithm, PolicySchema } from "../../../src/gen/fairlead/admin/v1/policy_pb.ts";
import { mergeMasked } from "../../../src/schema/apply-mask.ts";
import { fieldChanges } from "../../../src/schema/field-changes.ts";

const stored = create(PolicySchema, {
  name: "shop",
  meta: { uid: "u" },
  labels: { tier: "1" },
  algorithm: Policy_Algorithm.MAGLEV,
  hashOn: [{ key: { case: "header", value: "x-user" } }],
  outlierDetection: { consecutive5xx: 7, maxEjectionPercent: 50 },
});

test("only what the mask names is replaced, also inside a message", () => {
  const patch = create(PolicySchema, { panicThreshold: 30, outlierDetection: { consecutive5xx: 9 } });
  const merged = mergeMasked("policy", stored, patch, ["panic_threshold", "outlierDetection.consecutive5xx"]);
  expect(merged).toMatchObject({
    ok: true,
    message: {
      algorithm: Policy_Algorithm.MAGLEV,
      panicThreshold: 30,
      outlierDetection: { consecutive5xx: 9, maxEjectionPercent: 50 },
    },
  });
});

test("a field that the patch does not have is cleared, lists and maps are replaced as wholes", () => {
  const patch = create(PolicySchema, { labels: { a: "b" }, hashOn: [{ key: { case: "sourceIp", value: true } }] });
  const merged = mergeMasked("policy", stored, patch, ["labels", "hash_on", "outlier_detection"]);
  if (!merged.ok) throw new Error("refused");
  expect(merged.message.labels).toEqual({ a: "b" });
  expect(merged.message.hashOn).toMatchObject([{ key: { case: "sourceIp" } }]);
  expect(merged.message.outlierDetection).toBeUndefined();
});

test("without a mask everything that a client can write is replaced, and nothing else", () => {
  const backend = create(BackendSchema, {
    name: "shop/a",
    weight: 3,
    state: Backend_State.DRAINING,
    meta: { uid: "u" },
  });
  const merged = mergeMasked(
    "backend",
    backend,
    create(BackendSchema, { name: "shop/a", meta: { uid: "forged" } }),
    [],
  );
  expect(merged).toMatchObject({ ok: true, message: { state: Backend_State.DRAINING, meta: { uid: "u" } } });
  expect(merged.ok && merged.message).not.toHaveProperty("weight");
});

test.each([
  ["panic_treshold", 'did you mean "panic_threshold"?'],
  ["labels.tier", "without fields"],
  ["meta.uid", "output only"],
  ["", "unknown field"],
])("the path %j is refused", (path, part) => {
  const merged = mergeMasked("policy", stored, stored, [path]);
  expect(merged).toMatchObject({ ok: false, violations: [{ field: path, message: expect.stringContaining(part) }] });
});

test("a change is told field by field, and what a client cannot write is no change", () => {
  const after = create(PolicySchema, {
    ...stored,
    meta: create(MetaSchema, { uid: "v" }),
    labels: { "a/b": "1" },
    hashOn: [],
  });
  expect(fieldChanges("policy", stored, after)).toEqual([
    { path: "labels.tier", from: "1", to: undefined },
    { path: 'labels["a/b"]', from: undefined, to: "1" },
    { path: "hashOn", from: [{ header: "x-user" }], to: undefined },
  ]);
  const other = create(PolicySchema, { ...stored, meta: create(MetaSchema, { uid: "v" }) });
  expect(fieldChanges("policy", stored, other)).toEqual([]);
});
