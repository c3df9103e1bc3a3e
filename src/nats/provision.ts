import { leaseBucketConfig, type Provisioned, provisionBucket, stateBucketConfig } from "./bucket.ts";
import { connectNats } from "./connect.ts";
import { openManager, patiently } from "./open-manager.ts";
import { LEASE_TTL_MS, type NatsStoreSettings } from "./open-nats-store.ts";

/**
 * Creates the buckets that planes need, or corrects their settings; the state in them stays. Needs a user that may manage
 * streams, so the planes' own user need not be allowed to.
 *
 * @throws ControlPlaneError what `connectNats` and `openNatsStore` refuse.
 */
export async function provisionNats(
  settings: Pick<NatsStoreSettings, "servers" | "security" | "bucket" | "replicas" | "clock">,
): Promise<readonly Provisioned[]> {
  const { bucket, replicas, clock } = settings;
  const connection = await connectNats({ ...settings, name: "fairlead provision" });
  try {
    return await patiently(clock, async () => {
      const manager = await openManager(connection);
      return [
        await provisionBucket(manager, stateBucketConfig({ bucket, replicas })),
        await provisionBucket(manager, leaseBucketConfig({ bucket, replicas, ttlMs: LEASE_TTL_MS })),
      ];
    });
  } finally {
    await connection.close();
  }
}
