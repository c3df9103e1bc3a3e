import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ControlPlaneError } from "../domain/errors.ts";
import { formatName, type Name, partsOf } from "../domain/name.ts";
import {
  type ReportHealthRequest,
  type ReportHealthResponse,
  ReportHealthResponseSchema,
} from "../gen/fairlead/admin/v1/admin_pb.ts";
import type { Health } from "../gen/fairlead/admin/v1/backend_pb.ts";
import { formatRevision } from "../store/revision.ts";
import type { Caller, Context } from "./context.ts";
import { executeWrite } from "./execute-write.ts";
import type { Stamp } from "./next-meta.ts";
import { badField, notFound, readName } from "./object-errors.ts";
import { planPut } from "./plan-put.ts";
import type { Stored } from "./stored-state.ts";
import type { PlannedWrite } from "./write-use-case.ts";

/**
 * The newest observation behind a stored verdict: one that says the same again is not written, and an older one that
 * comes late must still not win (law 3, order).
 */
export type SeenObservations = WeakMap<Health, bigint>;

/**
 * Stores one source's verdict on one backend, when it says something new.
 *
 * @throws ControlPlaneError `notFound` / `BACKEND_NOT_FOUND`; `conflict` / `OBSERVATION_NOT_NEWER`; `conflict` /
 * `OBSERVED_EARLIER_BACKEND` when the uid is not the registered backend's.
 */
export async function reportHealth(
  context: Context & { readonly seen: SeenObservations },
  caller: Caller,
  { health, options }: Omit<ReportHealthRequest, "$typeName">,
): Promise<ReportHealthResponse> {
  if (health === undefined) throw badField("health", "must be given");
  const name = verdictName(health);
  const { mirror } = context;
  const plan = (stamp: Stamp): PlannedWrite<ReportHealthResponse> => {
    const backend = mirror.stored("backend", readName("backend", health.backend, "backend"));
    if (backend === undefined) throw notFound("backend", health.backend);
    const uid = backend.object.meta.uid;
    if (health.backendUid !== "" && health.backendUid !== uid) throw observedEarlierBackend(health, uid);
    checkExpiry(health, stamp.now);
    const before = mirror.stored("health", name);
    checkNewer(health, uid, before, context.seen);
    if (before !== undefined && saysTheSame(before, health, uid)) {
      if (health.sequence > 0n) context.seen.set(before.message, health.sequence);
      const revision = formatRevision(before.revision);
      return { ops: [], response: create(ReportHealthResponseSchema, { health: before.message, revision }) };
    }
    const decide = (draft: Health) => {
      draft.backendUid = uid;
      draft.actor = caller.actor;
      return true;
    };
    const { message, op } = planPut({ kind: "health", message: health, before, owner: "", decide }, stamp);
    const response = create(ReportHealthResponseSchema, { health: message, changed: true });
    return { ops: op === undefined ? [] : [op], response };
  };
  return await executeWrite<ReportHealthResponse>(context, caller, {
    operation: "report-health",
    options,
    expectedVersion: "",
    plan,
    responseSchema: ReportHealthResponseSchema,
    objectOf: (response) => response.health,
    brief: (response) => response,
  });
}

/** The name of the verdict that a report, or its withdrawal, is about. */
export function verdictName({ backend, source }: Pick<Health, "backend" | "source">): Name {
  if (source === "prober") throw badField("source", "`prober` is the plane's own; use `reporter:ID`, or `override`");
  const { project, ids } = partsOf("backend", readName("backend", backend, "backend"));
  return readName("health", formatName("health", { project, ids: [...ids, source] }), "source");
}

function checkExpiry({ source, expireTime }: Health, now: number): void {
  if (expireTime === undefined) return;
  if (source !== "override") throw badField("expireTime", "is for an override only");
  if (timestampMs(expireTime) <= now) throw badField("expireTime", "must be in the future");
}

function checkNewer(health: Health, uid: string, before: Stored<"health"> | undefined, seen: SeenObservations): void {
  if (before === undefined || before.object.backendUid !== uid) return;
  const newest = seen.get(before.message) ?? before.object.sequence;
  if (newest === 0n || health.sequence > newest) return;
  throw new ControlPlaneError({
    kind: "conflict",
    code: "OBSERVATION_NOT_NEWER",
    message: `${health.source} has reported observation ${newest} of ${health.backend} before; ${health.sequence} is not newer`,
    details: { backend: health.backend, source: health.source, newest: String(newest) },
  });
}

function saysTheSame({ message, object }: Stored<"health">, health: Health, uid: string): boolean {
  const expiresAt = health.expireTime === undefined ? undefined : timestampMs(health.expireTime);
  return (
    object.backendUid === uid &&
    message.status === health.status &&
    message.reason === health.reason &&
    object.expiresAt === expiresAt
  );
}

function observedEarlierBackend({ backend, backendUid }: Health, uid: string): ControlPlaneError {
  return new ControlPlaneError({
    kind: "conflict",
    code: "OBSERVED_EARLIER_BACKEND",
    message: `backend ${backend} has uid ${uid}; ${backendUid} was observed, which is not there any more`,
    details: { backend, uid, observed: backendUid },
  });
}
