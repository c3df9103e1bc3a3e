import { expect, test } from "vitest";
import { leaseBucketConfig } from "../../../src/nats/bucket.ts";

const configure = (ttlMs: number) => leaseBucketConfig({ bucket: "fairlead", replicas: 1, ttlMs });

test("a lease lasts at least three seconds, or its holder could not renew it in time", () => {
  expect(() => configure(2_999)).toThrow(
    expect.objectContaining({
      code: "LEASE_TOO_SHORT",
      message: "leaseTtlMs: a lease that lasts 2999 ms is too short; at least 3000 ms are needed to renew it in time",
    }),
  );
  expect(configure(3_000)).toMatchObject({ max_age: 3_000_000_000 });
});
