import type { Clock } from "../runtime/clock.ts";
import { leaseBucketConfig, type Provisioned, provisionBucket, stateBucketConfig } from "./bucket.ts";
import { connectNats, type NatsConnectOptions } from "./connect.ts";
import { openManager, patiently } from "./open-manager.ts";
import { LEASE_TTL_MS } from "./open-nats-store.ts";

export interface ProvisionOptions extends Pick<NatsConnectOptions, "servers" | "security"> {
  readonly bucket: string;
  /** Copies of the data on different servers: 1, or 3 or 5 in a cluster. */
  readonly replicas: number;
  readonly clock: Clock;
}

/**
 * Creates the buckets that planes need, or corrects their settings; the state in them stays. Needs a user that may manage
 * streams, so the planes' own user need not be allowed to.
 *
 * @throws ControlPlaneError what `connectNats` and `openNatsStore` refuse.
 */
export async function provisionNats(options: ProvisionOptions): Promise<readonly Provisioned[]> {
  const { servers, security, bucket, replicas, clock } = options;
  const connection = await connectNats({ servers, name: "fairlead provision", ...(security && { security }) });
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
