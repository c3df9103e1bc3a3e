import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { ControlPlaneError } from "../domain/errors.ts";
import { foreignStore, newerRelease } from "../store/errors.ts";
import { storeFailure } from "./failure.ts";
import { subjectsOf } from "./subjects.ts";

/** Grows with each change that an older release could not read. */
const SCHEMA = 1;
const APPLICATION = "fairlead.application";
const SCHEMA_ENTRY = "fairlead.schema";
/** How long expired leases are shown to be gone. */
const LEASE_MARKER_MS = 60_000;

export interface BucketOptions {
  readonly bucket: string;
  /** Copies of the data over servers: 1, or 3 and 5 in a cluster. */
  readonly replicas: number;
}

/** Opens the bucket of the state, or makes it, and refuses one that cannot hold it. */
export async function openStateBucket(manager: JetStreamManager, options: BucketOptions): Promise<void> {
  await openBucket(manager, options.replicas, {
    ...baseConfig(options.bucket, options.replicas),
    allow_atomic: true,
    allow_msg_ttl: true,
    metadata: { [APPLICATION]: "state", [SCHEMA_ENTRY]: String(SCHEMA) },
  });
}

/** The bucket of the leases: a key that is not written again within the lease's time is gone. */
export async function openLeaseBucket(
  manager: JetStreamManager,
  { bucket, replicas, ttlMs }: BucketOptions & { readonly ttlMs: number },
): Promise<void> {
  await openBucket(manager, replicas, {
    ...baseConfig(leaseBucket(bucket), replicas),
    max_age: nanos(ttlMs),
    allow_msg_ttl: true,
    subject_delete_marker_ttl: nanos(LEASE_MARKER_MS),
    metadata: { [APPLICATION]: "lease", [SCHEMA_ENTRY]: String(SCHEMA) },
  });
}

export function leaseBucket(bucket: string): string {
  return `${bucket}-lease`;
}

type BucketConfig = Partial<StreamConfig> & { name: string };

function baseConfig(bucket: string, replicas: number): BucketConfig {
  const { stream, all } = subjectsOf(bucket);
  return {
    name: stream,
    subjects: [all],
    storage: StorageType.File,
    num_replicas: replicas,
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    allow_rollup_hdrs: true,
    allow_direct: true,
    deny_delete: true,
  };
}

async function openBucket(manager: JetStreamManager, replicas: number, config: BucketConfig): Promise<void> {
  const found = (await findConfig(manager, config.name)) ?? (await create(manager, config));
  const { name } = config;
  const metadata = found.metadata ?? {};
  if (metadata[APPLICATION] !== config.metadata?.[APPLICATION]) {
    throw foreignStore(`stream ${name} belongs to another application; choose another bucket`, { stream: name });
  }
  const schema = Number(metadata[SCHEMA_ENTRY]);
  if (!(schema <= SCHEMA)) throw newerRelease(`stream ${name}`, schema, SCHEMA);
  const wanted = { num_replicas: replicas, max_msgs_per_subject: 1, allow_msg_ttl: true } as const;
  const checked: Partial<StreamConfig> = config.allow_atomic ? { ...wanted, allow_atomic: true } : wanted;
  for (const [setting, value] of Object.entries(checked)) {
    const is = JSON.stringify(found[setting as keyof StreamConfig]);
    const needed = JSON.stringify(value);
    if (is === needed) continue;
    throw new ControlPlaneError({
      kind: "precondition",
      code: "BUCKET_MISCONFIGURED",
      message: `stream ${name} has ${setting} ${is}; it must be ${needed}: run \`nats stream edit\``,
      details: { stream: name, setting, found: is, needed },
    });
  }
}

async function findConfig(manager: JetStreamManager, stream: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(stream)).config;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return undefined;
    throw storeFailure(error, `cannot look at stream ${stream}`);
  }
}

async function create(manager: JetStreamManager, config: BucketConfig): Promise<StreamConfig> {
  try {
    return (await manager.streams.add(config)).config;
  } catch (error) {
    // Another replica may have made it in between.
    const found = await findConfig(manager, config.name);
    if (found !== undefined) return found;
    throw storeFailure(error, `cannot make stream ${config.name}`);
  }
}
