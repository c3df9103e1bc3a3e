import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../runtime/clock.ts";
import type { Containment } from "../runtime/containment.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";
import { storeClosed } from "../store/errors.ts";
import type { Store, StoreTrouble } from "../store/store.ts";
import { leaseBucketConfig, openBucket, stateBucketConfig } from "./bucket.ts";
import { BucketMirror, type MirrorStatus } from "./bucket-mirror.ts";
import { BucketWatch } from "./bucket-watch.ts";
import { connectNats, INBOX_PREFIX, type NatsConnectOptions } from "./connect.ts";
import { formatEpochMark } from "./epoch-mark.ts";
import { storeFailure } from "./failure.ts";
import { Link } from "./link.ts";
import { NatsArchive } from "./nats-archive.ts";
import { NatsJournal } from "./nats-journal.ts";
import { NatsLease } from "./nats-lease.ts";
import { NatsPeers } from "./nats-peers.ts";
import { NatsStore } from "./nats-store.ts";
import { newestEpoch } from "./newest-epoch.ts";
import { openManager, patiently } from "./open-manager.ts";
import { PeerKey } from "./peer-key.ts";
import { checkPermissions, neededPermissions } from "./permissions.ts";
import { publishBatch } from "./publish-batch.ts";
import { StreamReader } from "./stream-reader.ts";
import { FIRST_ROOT, subjectsOf } from "./subjects.ts";

/** Short, since a request to a stalled server is better tried again. */
const MIRROR_TIMEOUT_MS = 1_500;
export const LEASE_TTL_MS = 15_000;

export interface NatsStoreSettings extends Pick<NatsConnectOptions, "servers" | "security"> {
  readonly bucket: string;
  /** Copies of the data on different servers: 1, or 3 or 5 in a cluster. */
  readonly replicas: number;
  /** This replica's name; unique among those that share the bucket. */
  readonly replica: string;
  /** How long a lease lasts if it is not renewed; 15 s by default, and never less than 3 s. */
  readonly leaseTtlMs?: number;
  /** Opened to replace its whole content, so it need not state where that is. */
  readonly isForReplacement?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly containment: Containment;
}

export interface OpenedNatsStore extends Store {
  readonly mirrorStatus: () => MirrorStatus;
}

/**
 * Opens the store in a JetStream bucket, and creates the bucket if it does not exist.
 *
 * @throws ControlPlaneError what `connectNats` and the buckets refuse, `precondition` / `NATS_WITHOUT_JETSTREAM`,
 * `NATS_PERMISSION_MISSING` (`details.subject`), `REPLICA_NAME_TAKEN`.
 */
export async function openNatsStore(settings: NatsStoreSettings): Promise<OpenedNatsStore> {
  const { servers, security, replica } = settings;
  const connection = await connectNats({
    servers,
    name: `fairlead ${replica}`,
    ...(security && { security }),
  });
  try {
    return await openOn(connection, settings);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function openOn(connection: NatsConnection, settings: NatsStoreSettings): Promise<OpenedNatsStore> {
  const { bucket, replicas, replica, clock, random, containment, leaseTtlMs = LEASE_TTL_MS } = settings;
  const logger = settings.logger.child({ component: "store" });
  const subjects = subjectsOf(bucket);
  const link = new Link(connection, { clock, logger });
  await checkPermissions(connection, link, neededPermissions(bucket, INBOX_PREFIX));
  const buckets = [stateBucketConfig({ bucket, replicas }), leaseBucketConfig({ bucket, replicas, ttlMs: leaseTtlMs })];
  const manager = await patiently(clock, async () => {
    const manager = await openManager(connection);
    for (const wanted of buckets) await openBucket(manager, wanted);
    await beginFirstEpoch(connection, subjects.epoch);
    return manager;
  });
  const reader = new StreamReader(connection, subjects.stream);
  const impatient = await jetstreamManager(connection, { timeout: MIRROR_TIMEOUT_MS, checkAPI: false });
  const mirror = new BucketMirror({
    connection,
    link,
    manager: impatient,
    bucket,
    inboxPrefix: INBOX_PREFIX,
    clock,
    random,
    logger,
    newestEpoch: (subjects) => newestEpoch(impatient, subjects, settings.isForReplacement === true),
    containment,
    tick: () => state.tick(),
  });
  let isOpen = true;
  const assertOpen = () => {
    if (!isOpen) throw storeClosed();
  };
  const journal = new NatsJournal({
    manager,
    reader,
    subjects: () => mirror.current.subjects,
    assertOpen,
    head: () => mirror.held.revision,
  });
  const key = await patiently(clock, () =>
    PeerKey.open({ connection, reader, subject: subjects.peerKey, clock, random, logger }),
  );
  const peers = new NatsPeers({ connection, bucket, replica, key, clock, random, containment, logger });
  await peers.takeName();
  const watch = new BucketWatch({ manager, buckets, clock, random, logger });
  const onClose = async () => {
    isOpen = false;
    watch.stop();
    await lease.stop();
    peers.stop();
    await mirror.stop();
    await connection.close();
  };
  const state = new NatsStore({
    connection,
    link,
    mirror,
    journal,
    reader,
    clock,
    random,
    onClose,
  });
  const archive = new NatsArchive({
    connection,
    manager,
    bucket,
    replica,
    mirror,
    journal,
    reader,
    clock,
    random,
    logger,
    assertOpen,
  });
  await patiently(clock, () => mirror.start());
  const onEpoch = (listener: () => void) => mirror.held.onEpoch(listener);
  const lease = new NatsLease({
    connection,
    bucket,
    replica,
    state,
    clock,
    random,
    logger,
    containment,
    ttlMs: leaseTtlMs,
    onEpoch,
  });
  await state.barrier();
  await peers.assertNamesakeUnheard();
  const status = () => {
    const away = awayOf({ link, mirror: mirror.status, clock });
    const clockOffsetMs = state.now() - clock.now();
    const { frozen } = mirror.status;
    return { kind: "nats", copies: replicas, frozen, away, fault: watch.fault, clockOffsetMs } as const;
  };
  const servers = () => connection.getServers().map(({ hostname, port }) => ({ host: hostname, port }));
  const verify = () => mirror.compare();
  return { state, journal, archive, lease, peers, status, servers, verify, mirrorStatus: () => mirror.status };
}

/** Why nothing can be written or heard just now. */
function awayOf(of: {
  readonly link: Link;
  readonly mirror: MirrorStatus;
  readonly clock: Clock;
}): StoreTrouble | undefined {
  const { link, mirror, clock } = of;
  const since = (elapsedMs: number) => clock.now() - Math.round(elapsedMs);
  if (link.downSince !== undefined) {
    return { why: "no NATS server is connected", since: since(clock.monotonic() - link.downSince) };
  }
  return mirror.failure === undefined ? undefined : { why: mirror.failure, since: since(mirror.silentMs) };
}

/** The first replica writes the epoch; the others find it there. */
async function beginFirstEpoch(connection: NatsConnection, subject: string): Promise<void> {
  const value = new TextEncoder().encode(formatEpochMark({ epoch: 1, root: FIRST_ROOT }));
  const outcome = await publishBatch(connection, { id: "", hidden: 0, writes: [{ subject, value, expected: 0 }] });
  if (outcome.kind === "failed" || outcome.kind === "unknown") {
    throw storeFailure(outcome.error, "the bucket cannot be written");
  }
}
