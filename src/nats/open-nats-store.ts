import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../runtime/clock.ts";
import type { Store, StoreTrouble } from "../store/store.ts";
import { type BucketOptions, leaseBucketConfig, openBucket, stateBucketConfig } from "./bucket.ts";
import { BucketMirror, type MirrorStatus } from "./bucket-mirror.ts";
import type { BucketSession } from "./bucket-session.ts";
import { BucketWatch } from "./bucket-watch.ts";
import { connectNats, type NatsConnectOptions } from "./connect.ts";
import { formatEpochMark } from "./epoch-mark.ts";
import { storeFailure } from "./failure.ts";
import { Link } from "./link.ts";
import { NatsLease } from "./nats-lease.ts";
import { NatsPeers } from "./nats-peers.ts";
import { NatsStore } from "./nats-store.ts";
import { openManager, patiently } from "./open-manager.ts";
import { PeerKey } from "./peer-key.ts";
import { checkPermissions, neededPermissions } from "./permissions.ts";
import { publishBatch } from "./publish-batch.ts";
import { FIRST_ROOT, subjectsOf } from "./subjects.ts";

/** Short, since a request to a stalled server is better tried again. */
const MIRROR_TIMEOUT_MS = 1_500;
export const LEASE_TTL_MS = 15_000;

export interface NatsStoreSettings
  extends Pick<NatsConnectOptions, "servers" | "security">,
    Pick<BucketSession, "replica" | "clock" | "random" | "logger" | "containment">,
    BucketOptions {
  /** How long a lease lasts if it is not renewed; 15 s by default, and at least 3 s. */
  readonly leaseTtlMs?: number;
  /** Opened to replace its whole content, so it need not state where that is. */
  readonly isForReplacement?: boolean;
}

export interface OpenedNatsStore extends Store {
  readonly mirrorStatus: () => MirrorStatus;
}

/**
 * Opens the store in a JetStream bucket, and creates the bucket if it does not exist.
 *
 * @throws ControlPlaneError `invalid` / `LEASE_TOO_SHORT`, what `connectNats` and the buckets refuse, `precondition` / `NATS_WITHOUT_JETSTREAM`,
 * `NATS_PERMISSION_MISSING` (`details.subject`), `REPLICA_NAME_TAKEN`.
 */
export async function openNatsStore(settings: NatsStoreSettings): Promise<OpenedNatsStore> {
  const connection = await connectNats({ ...settings, name: `fairlead ${settings.replica}` });
  try {
    return await openOn(connection, settings);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function openOn(connection: NatsConnection, settings: NatsStoreSettings): Promise<OpenedNatsStore> {
  const { bucket, replicas, replica, clock, random, containment, leaseTtlMs: ttlMs = LEASE_TTL_MS } = settings;
  const buckets = [stateBucketConfig({ bucket, replicas }), leaseBucketConfig({ bucket, replicas, ttlMs })];
  const logger = settings.logger.child({ component: "store" });
  const link = new Link(connection, { clock, logger });
  await checkPermissions(connection, link, neededPermissions(bucket));
  const manager = await patiently(clock, async () => {
    const manager = await openManager(connection);
    for (const wanted of buckets) await openBucket(manager, wanted);
    await beginFirstEpoch(connection, subjectsOf(bucket).epoch);
    return manager;
  });
  const session: BucketSession = { connection, link, manager, bucket, replica, clock, random, logger, containment };
  const mirror = new BucketMirror({
    ...session,
    manager: await jetstreamManager(connection, { timeout: MIRROR_TIMEOUT_MS, checkAPI: false }),
    isForReplacement: settings.isForReplacement === true,
    tick: () => state.tick(),
  });
  const key = await patiently(clock, () => PeerKey.open(session));
  const peers = new NatsPeers({ ...session, key });
  await peers.takeName();
  const watch = new BucketWatch(session, buckets);
  const onClose = async () => {
    watch.stop();
    await lease.stop();
    peers.stop();
    await mirror.stop();
    await connection.close();
  };
  const state = new NatsStore({ ...session, mirror, onClose });
  await patiently(clock, () => mirror.start());
  const lease = new NatsLease({ ...session, state, ttlMs, onEpoch: (listener) => mirror.log.held.onEpoch(listener) });
  await state.barrier();
  await peers.assertNamesakeUnheard();
  const { journal, archive } = state;
  const status = () => {
    const away = awayOf(link, mirror.status, clock);
    const clockOffsetMs = state.now() - clock.now();
    const { frozen } = mirror.status;
    return { kind: "nats", copies: replicas, frozen, away, fault: watch.fault, clockOffsetMs } as const;
  };
  const servers = () => connection.getServers().map(({ hostname, port }) => ({ host: hostname, port }));
  const verify = () => mirror.compare();
  return { state, journal, archive, lease, peers, status, servers, verify, mirrorStatus: () => mirror.status };
}

/** Why nothing can be written or heard just now. */
function awayOf(link: Link, mirror: MirrorStatus, clock: Clock): StoreTrouble | undefined {
  const since = (elapsedMs: number) => clock.now() - Math.round(elapsedMs);
  if (link.downSince !== undefined) {
    return { why: "no NATS server is connected", since: since(clock.monotonic() - link.downSince) };
  }
  return mirror.failure === undefined ? undefined : { why: mirror.failure, since: since(mirror.silentMs) };
}

/** The first replica writes the epoch; the others find it there. */
async function beginFirstEpoch(connection: NatsConnection, subject: string): Promise<void> {
  const value = new TextEncoder().encode(formatEpochMark({ epoch: 1, root: FIRST_ROOT }));
  const outcome = await publishBatch(connection, { writes: [{ subject, value, expected: 0 }] });
  if (outcome.kind === "failed" || outcome.kind === "unknown") {
    throw storeFailure(outcome.error, "the bucket cannot be written");
  }
}
