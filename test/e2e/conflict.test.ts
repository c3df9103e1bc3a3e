import { expect, test } from "vitest";
import { connectAdmin } from "../../src/cli/admin-client.ts";
import { AdminError } from "../../src/cli/admin-error.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { manifest, service } from "../support/manifest.ts";
import { startPlane } from "../support/plane.ts";

test("of several writers with one expected version exactly one wins, and the others change nothing", async () => {
  await using plane = await startPlane();
  await plane.mustApply(manifest(service("shop")));
  const writers = Array.from({ length: 8 }, () => connectAdmin(plane.addresses.admin));
  const [first] = writers;
  if (first === undefined) throw new Error("no writer");

  for (let round = 0; round < 10; round += 1) {
    const before = await first.call(AdminService.method.getService, { name: "shop" });
    const results = await Promise.allSettled(
      writers.map((writer, number) =>
        writer.call(AdminService.method.updateService, {
          service: { name: "shop", drainTime: { seconds: BigInt(round * writers.length + number + 1) } },
          expectedVersion: before.meta?.version ?? "",
        }),
      ),
    );
    const won = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const lost = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    expect(won).toHaveLength(1);
    expect(lost.map((error) => (error instanceof AdminError ? error.code : error))).toEqual(lost.map(() => ABORTED));
    const after = await first.call(AdminService.method.getService, { name: "shop" });
    expect({ meta: after.meta, drainTime: after.drainTime }).toEqual({
      meta: won[0]?.service?.meta,
      drainTime: won[0]?.service?.drainTime,
    });
    expect(after.meta?.generation).toBe((before.meta?.generation ?? 0n) + 1n);
  }
  for (const writer of writers) writer.close();
});

/** gRPC's status code for a lost test-and-set. */
const ABORTED = 10;
