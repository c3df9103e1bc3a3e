import { create, toJson } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, test } from "vitest";
import { storeKey } from "../../../src/domain/name.ts";
import { HealthSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { PolicySchema } from "../../../src/gen/fairlead/admin/v1/policy_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { parseObject } from "../../../src/schema/parse-object.ts";
import { decodeStored, encodeStored } from "../../../src/schema/stored-object.ts";
import { mendTimes, timeViolations } from "../../../src/schema/time-fields.ts";

const seconds = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -400_000_000_000n, max: 400_000_000_000n }),
);
const nanos = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
);
const time = fc.record({ seconds, nanos });

test("law: what is not complained of can be written as JSON, and so can everything that was mended", () => {
  fc.assert(
    fc.property(time, time, time, (at, span, nested) => {
      const samples = [
        [
          "health",
          HealthSchema,
          create(HealthSchema, {
            observeTime: create(TimestampSchema, at),
            damping: { asOfTime: create(TimestampSchema, nested) },
          }),
        ],
        [
          "service",
          ServiceSchema,
          create(ServiceSchema, {
            drainTime: create(DurationSchema, span),
            healthCheck: { interval: create(DurationSchema, nested) },
          }),
        ],
      ] as const;
      for (const [kind, desc, message] of samples) {
        const isFine = timeViolations(kind, message).length === 0;
        if (isFine) expect(() => toJson(desc, message)).not.toThrow();
        mendTimes(kind, message);
        expect(timeViolations(kind, message)).toEqual([]);
        expect(() => toJson(desc, message)).not.toThrow();
      }
    }),
    { numRuns: 500 },
  );
});

test("an instant that nobody can write down is refused at the door, by its field and with the range", () => {
  const health = { backend: "shop/s1", source: "reporter:a", status: 3 } as const;
  const parsed = parseObject(
    "health",
    create(HealthSchema, { ...health, observeTime: { seconds: 10n ** 15n, nanos: 0 } }),
  );
  expect(parsed).toMatchObject({
    ok: false,
    violations: [
      { field: "observeTime", message: expect.stringContaining("0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z") },
    ],
  });
});

test("times are found in lists and in what is one of several, by the path of their field", () => {
  const bad = { seconds: 1n, nanos: -5 };
  const policy = create(PolicySchema, {
    hashOn: [{ key: { case: "cookie", value: { name: "c", ttl: bad } } }],
    outlierDetection: { interval: bad },
  });
  expect(
    timeViolations("policy", policy)
      .map(({ field }) => field)
      .sort(),
  ).toEqual(["hashOn[0].cookie.ttl", "outlierDetection.interval"]);
});

test("what an earlier release stored is read as the nearest instant", () => {
  const message = create(HealthSchema, {
    backend: "shop/s1",
    source: "reporter:a",
    status: 3,
    meta: { uid: "u" },
    observeTime: { seconds: 10n ** 15n, nanos: -1 },
  });
  const bytes = encodeStored("health", message);
  const stored = decodeStored(storeKey("health", "shop/s1/reporter:a"), bytes, { epoch: 1, position: 1 });
  expect(stored.message).toMatchObject({ observeTime: { seconds: 253_402_300_799n, nanos: 0 } });
});
