import { create } from "@bufbuild/protobuf";
import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import { ControlPlaneError } from "../../domain/errors.ts";
import { MAX_HEALTH_TTL_MS, MIN_HEALTH_TTL_MS } from "../../domain/limits.ts";
import { formatName, type Name, partsOf } from "../../domain/name.ts";
import {
  type ReportHealthRequest,
  type ReportHealthResponse,
  ReportHealthResponseSchema,
} from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { Health } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import { statusTime } from "../../schema/status-time.ts";
import type { Stored } from "../../schema/stored-object.ts";
import { formatRevision } from "../../store/revision.ts";
import type { Caller, Context } from "../context.ts";
import { badField, notFound, readName } from "../object-errors.ts";
import { executeWrite } from "../writing/execute-write.ts";
import type { Stamp } from "../writing/next-meta.ts";
import { overlay } from "../writing/overlay-state.ts";
import { planPut } from "../writing/plan-put.ts";
import type { PlannedWrite } from "../writing/write-use-case.ts";
import { othersServe } from "./last-eligible.ts";
import type { SeenObservations } from "./seen-observations.ts";

/** By how much a stored report outlives its ttl, as a share of it: until then, saying the same again needs no write. */
const TTL_SLACK = 0.5;

/**
 * Stores one source's verdict on one backend, when it says something new.
 *
 * @throws ControlPlaneError `notFound` / `BACKEND_NOT_FOUND`; `conflict` / `OBSERVATION_NOT_NEWER`; `conflict` /
 * `OBSERVED_EARLIER_BACKEND` when the uid is not the registered backend's; `precondition` / `NO_BACKEND_LEFT` for an override.
 */
export async function reportHealth(
  context: Context & { readonly seen: SeenObservations },
  caller: Caller,
  { health, options, ttl, allowRemoval }: Omit<ReportHealthRequest, "$typeName">,
): Promise<ReportHealthResponse> {
  if (health === undefined) throw badField("health", "must be given");
  const name = verdictName(health);
  if (health.expireTime !== undefined) throw badField("expireTime", "follows from ttl; give that instead");
  const life = lifeOf(health, ttl);
  const { mirror } = context;
  const known = mirror.stored("health", name);
  const mayLose = health.sequence > 0n && known !== undefined && !saysTheSame(known, health, known.object.backendUid);
  const elsewhere = mayLose ? await context.seen.newestElsewhere(name, known.object.backendUid) : 0n;
  const plan = (stamp: Stamp): PlannedWrite<ReportHealthResponse> => {
    const backend = mirror.stored("backend", readName("backend", health.backend, "backend"));
    if (backend === undefined) throw notFound("backend", health.backend);
    const uid = backend.object.meta.uid;
    if (health.backendUid !== "" && health.backendUid !== uid) throw observedEarlierBackend(health, uid);
    const before = mirror.stored("health", name);
    if (before?.object.backendUid === uid) checkNewer(health, greater(context.seen.newest(before), elsewhere));
    if (
      before !== undefined &&
      saysTheSame(before, health, uid) &&
      outlives(before.object.expiresAt, life, stamp.now)
    ) {
      const revision = formatRevision(before.revision);
      return { ops: [], response: create(ReportHealthResponseSchema, { health: before.message, revision }) };
    }
    const decide = (draft: Health) => {
      draft.backendUid = uid;
      draft.actor = caller.actor;
      draft.statusTime = statusTime(before?.message, draft, instantOfMs(stamp.now));
      if (life !== undefined) draft.expireTime = instantOfMs(stamp.now + life.mostMs);
      return true;
    };
    const { message, object, op } = planPut({ kind: "health", message: health, before, owner: "", decide }, stamp);
    const mustLeaveOthers = health.source === "override" && object.status === "UNHEALTHY" && !allowRemoval;
    const after = overlay(mirror, [{ kind: "health", name, object }]);
    const guard = mustLeaveOthers ? othersServe(mirror, after, backend.object.name) : undefined;
    const response = create(ReportHealthResponseSchema, { health: message, changed: true });
    return { ops: op === undefined ? [] : [op], guard, response };
  };
  const answer = await executeWrite<ReportHealthResponse>(context, caller, {
    operation: "report-health",
    options,
    expectedVersion: "",
    plan,
    responseSchema: ReportHealthResponseSchema,
    objectOf: (response) => response.health,
  });
  if (!answer.changed && answer.health !== undefined) context.seen.note(answer.health, health.sequence);
  return answer;
}

/** The name of the verdict that a report, or its withdrawal, is about. */
export function verdictName({ backend, source }: Pick<Health, "backend" | "source">): Name {
  if (source === "prober")
    throw badField("source", "`prober` is reserved for the plane; use `reporter:ID`, or `override`");
  const { project, ids } = partsOf("backend", readName("backend", backend, "backend"));
  return readName("health", formatName("health", { project, ids: [...ids, source] }), "source");
}

/** How long a verdict counts from now, at least and at most. Undefined: without end. */
type Life = { readonly leastMs: number; readonly mostMs: number } | undefined;

function lifeOf({ source }: Health, ttl: Duration | undefined): Life {
  if (ttl === undefined) return undefined;
  const ms = durationMs(ttl);
  if (ms < MIN_HEALTH_TTL_MS || ms > MAX_HEALTH_TTL_MS) {
    const [min, max] = [MIN_HEALTH_TTL_MS / 1000, MAX_HEALTH_TTL_MS / 1000];
    throw badField("ttl", `must be ${min}s to ${max}s, not ${ms / 1000}s`);
  }
  return { leastMs: ms, mostMs: Math.round(ms * (source === "override" ? 1 : 1 + TTL_SLACK)) };
}

/** Whether a verdict that ends at `expiresAt` does what one with this life, given now, would do. */
function outlives(expiresAt: number | undefined, life: Life, now: number): boolean {
  if (expiresAt === undefined || life === undefined) return expiresAt === undefined && life === undefined;
  return expiresAt >= now + life.leastMs && expiresAt <= now + life.mostMs;
}

function checkNewer(health: Health, newest: bigint): void {
  if (newest === 0n || health.sequence > newest) return;
  throw new ControlPlaneError({
    kind: "conflict",
    code: "OBSERVATION_NOT_NEWER",
    message: `${health.source} has already reported observation ${newest} of ${health.backend}; ${health.sequence} is not newer`,
    details: { backend: health.backend, source: health.source, newest: String(newest) },
  });
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function saysTheSame({ message, object }: Stored<"health">, { status, reason }: Health, uid: string): boolean {
  return object.backendUid === uid && message.status === status && message.reason === reason;
}

function observedEarlierBackend({ backend, backendUid }: Health, uid: string): ControlPlaneError {
  return new ControlPlaneError({
    kind: "conflict",
    code: "OBSERVED_EARLIER_BACKEND",
    message: `backend ${backend} has uid ${uid}; the report is about ${backendUid}, which no longer exists`,
    details: { backend, uid, observed: backendUid },
  });
}
