import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { millis, nanos } from "@nats-io/transport-node";
import { ControlPlaneError, invalid } from "../domain/errors.ts";
import { foreignStore, newerRelease, unreachable } from "../store/errors.ts";
import { storeFailure } from "./failure.ts";
import { subjectsOf } from "./subjects.ts";

/** Incremented with each change that an older release could not read. */
const SCHEMA = 1;
const APPLICATION = "fairlead.application";
const SCHEMA_ENTRY = "fairlead.schema";
const MISCONFIGURED = "BUCKET_MISCONFIGURED";
/** A holder renews its lease four times before it expires, and each renewal must have time to be answered. */
const MIN_LEASE_TTL_MS = 3_000;
/** How long the delete marker of an expired lease stays. */
const LEASE_MARKER_MS = 60_000;

/** Several copies were requested from a single server. */
const NOT_CLUSTERED = 10_074;

export interface BucketOptions {
  readonly bucket: string;
  /** Copies of the data on different servers: 1, or 3 or 5 in a cluster. */
  readonly replicas: number;
}

/** Opens a bucket, or creates it, and refuses one that is unfit for its purpose. */
export async function openBucket(manager: JetStreamManager, wanted: BucketConfig): Promise<void> {
  const found = (await findStream(manager, wanted.name)) ?? (await create(manager, wanted));
  const unfit = bucketFault(found.config, wanted);
  if (unfit !== undefined) throw unfit;
}

/** What became of a bucket: it was missing, some setting was wrong, or all was as it should be. */
export interface Provisioned {
  readonly stream: string;
  readonly outcome: "made" | "changed" | "unchanged";
}

/** Creates a bucket, or gives an existing one the settings that it must have. Its contents stay. */
export async function provisionBucket(manager: JetStreamManager, wanted: BucketConfig): Promise<Provisioned> {
  const { name: stream } = wanted;
  const found = await findStream(manager, stream);
  if (found === undefined) {
    await create(manager, wanted);
    return { stream, outcome: "made" };
  }
  const fault = bucketFault(found.config, wanted);
  if (fault === undefined) return { stream, outcome: "unchanged" };
  if (fault.code !== MISCONFIGURED) throw fault;
  try {
    await manager.streams.update(stream, { ...found.config, ...wanted });
  } catch (error) {
    throw storeFailure(error, `cannot change stream ${stream}`);
  }
  return { stream, outcome: "changed" };
}

/** Configuration of the bucket that holds the state. */
export function stateBucketConfig({ bucket, replicas }: BucketOptions): BucketConfig {
  return {
    ...baseConfig(bucket, replicas),
    allow_atomic: true,
    allow_msg_ttl: true,
    metadata: { [APPLICATION]: "state", [SCHEMA_ENTRY]: String(SCHEMA) },
  };
}

/**
 * Configuration of the bucket for leases: a key that is not rewritten within the lease's time expires.
 *
 * @throws ControlPlaneError `invalid` / `LEASE_TOO_SHORT`.
 */
export function leaseBucketConfig({
  bucket,
  replicas,
  ttlMs,
}: BucketOptions & { readonly ttlMs: number }): BucketConfig {
  if (ttlMs < MIN_LEASE_TTL_MS) {
    const message = `a lease that lasts ${ttlMs} ms is too short; at least ${MIN_LEASE_TTL_MS} ms are needed to renew it in time`;
    throw invalid("LEASE_TOO_SHORT", [{ field: "leaseTtlMs", message }]);
  }
  return {
    ...baseConfig(leaseBucket(bucket), replicas),
    max_age: nanos(ttlMs),
    allow_msg_ttl: true,
    subject_delete_marker_ttl: nanos(LEASE_MARKER_MS),
    metadata: { [APPLICATION]: "lease", [SCHEMA_ENTRY]: String(SCHEMA) },
  };
}

export function leaseBucket(bucket: string): string {
  return `${bucket}-lease`;
}

export type BucketConfig = Partial<StreamConfig> & { name: string };

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

/** Why a stream cannot be this bucket: it belongs to another application or a newer release, or lost a setting. */
export function bucketFault(found: StreamConfig, wanted: BucketConfig): ControlPlaneError | undefined {
  const { name } = wanted;
  const metadata = found.metadata ?? {};
  if (metadata[APPLICATION] !== wanted.metadata?.[APPLICATION]) {
    return foreignStore(`stream ${name} belongs to another application; choose another bucket with --nats-bucket`, {
      stream: name,
    });
  }
  const schema = Number(metadata[SCHEMA_ENTRY]);
  if (!(schema <= SCHEMA)) return newerRelease(`stream ${name}`, schema, SCHEMA);
  for (const setting of ["num_replicas", "max_msgs_per_subject", "allow_msg_ttl", "allow_atomic"] as const) {
    const [is, must] = [found[setting] ?? false, wanted[setting]];
    if (must === undefined || is === must) continue;
    return misconfigured({ stream: name, setting, found: String(is), needed: String(must) });
  }
  const [age, needed] = [found.max_age ?? 0, wanted.max_age ?? 0].map((ns) => `${millis(ns)} ms`) as [string, string];
  return age === needed ? undefined : misconfigured({ stream: name, setting: "max_age", found: age, needed });
}

function misconfigured(
  details: Readonly<Record<"stream" | "setting" | "found" | "needed", string>>,
): ControlPlaneError {
  const { stream, setting, found, needed } = details;
  const other = setting === "num_replicas" ? `, or start with --nats-replicas ${found}` : "";
  return new ControlPlaneError({
    kind: "precondition",
    code: MISCONFIGURED,
    message: `stream ${stream} has ${setting} ${found}, but needs ${needed}; run \`fairlead provision\`${other}`,
    details,
  });
}

/** Undefined when there is no stream of this name. */
export async function findStream(manager: JetStreamManager, stream: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(stream);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return undefined;
    throw storeFailure(error, `cannot read the settings of stream ${stream}`);
  }
}

async function create(manager: JetStreamManager, config: BucketConfig): Promise<StreamInfo> {
  try {
    return await manager.streams.add(config);
  } catch (error) {
    // Another replica may have created it meanwhile.
    const found = await findStream(manager, config.name);
    if (found !== undefined) return found;
    if (!(error instanceof JetStreamApiError)) throw storeFailure(error, `cannot create stream ${config.name}`);
    throw unmakeable(error, config);
  }
}

function unmakeable(error: JetStreamApiError, { name, num_replicas = 1 }: BucketConfig): ControlPlaneError {
  const what = `cannot create stream ${name}: ${error.message}`;
  // A cluster that has just started may not have all its servers yet, so it is worth another try.
  const cure = `${num_replicas} copies need as many servers (see --nats-replicas)`;
  if (error.code !== NOT_CLUSTERED) return unreachable(num_replicas > 1 ? `${what}; ${cure}` : what, error);
  return new ControlPlaneError({
    kind: "precondition",
    code: "NATS_NOT_CLUSTERED",
    message: `${what}; ${cure}`,
    details: { stream: name, copies: String(num_replicas) },
    cause: error,
  });
}
