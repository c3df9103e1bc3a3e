import { clone, create } from "@bufbuild/protobuf";
import { ControlPlaneError, invalid, type Violation } from "../../domain/errors.ts";
import { type WriteOptions, type WriteResponse, WriteResponseSchema } from "../../gen/fairlead/admin/v1/write_pb.ts";
import { checkBatch } from "../../store/batch.ts";
import type { Cause } from "../../store/journal.ts";
import { formatRevision } from "../../store/revision.ts";
import { type Caller, type Context, foldedWithin } from "../context.ts";
import { awaitExpectedVersion } from "./expected-version.ts";
import { refuseUnread } from "./refuse-unread.ts";
import { keptRequestId, recallResult, recordResult } from "./request-record.ts";
import { completeAnswer, type PlannedWrite, type WriteAnswer, type WriteUseCase } from "./write-use-case.ts";

const MAX_REQUEST_ID_LENGTH = 128;
const MAX_REASON_LENGTH = 1024;
/** How often a write is planned at most when others write in between. */
const ATTEMPTS = 12;
const BACKOFF_MS = 4;
/** How long an answer waits for this replica to fold the write, which is durable by then in any case. */
const FOLD_MS = 5000;

/**
 * Carries out a write: once per request id, durably, and folded by this replica when it returns, or `FOLD_MS` later.
 *
 * The plan is made before the journal is asked about the request id: what another try of the same request writes after that
 * breaks the plan's guards, and what it wrote before is in the journal.
 *
 * A plan that writes nothing has no guards: the answer that all is as asked for, or that an object does not exist, is given
 * only once this replica has folded everything that anybody was told of before. That costs a barrier of the store.
 */
export async function executeWrite<R extends WriteAnswer>(
  context: Context,
  caller: Caller,
  useCase: WriteUseCase<R>,
): Promise<R> {
  checkOptions(useCase.options);
  await awaitExpectedVersion(context, caller, useCase.expectedVersion);
  const validateOnly = useCase.options?.validateOnly === true;
  let isPresent = validateOnly;
  for (let attempt = 1; ; attempt++) {
    const planned = await attemptPlan(context, useCase);
    const earlier = await recallResult(context.journal, caller, useCase);
    if (earlier !== undefined) return earlier;
    if (!isPresent && !(!(planned instanceof ControlPlaneError) && planned.ops.length > 0)) {
      await foldPresent(context, caller);
      isPresent = true;
      continue;
    }
    if (planned instanceof ControlPlaneError) throw planned;
    const { ops, guard, response } = planned;
    if (ops.length === 0) return response;
    for (const op of ops) refuseUnread(context.mirror, op.key, op.guard);
    const batch = { ops, cause: causeOf(caller, useCase, response), ...(guard && { guard }) };
    checkBatch(batch);
    if (validateOnly) return response;
    try {
      const { revision } = await context.store.commit(batch);
      await foldedWithin(context, revision, { ms: FOLD_MS, signal: caller.signal });
      return completeAnswer(useCase, clone(useCase.responseSchema, response), formatRevision(revision));
    } catch (error) {
      if (!isLostRace(error) || attempt === ATTEMPTS) throw error;
      await catchUp(context, caller, error, attempt);
    }
  }
}

/** Carries out a write whose answer is its place in the log and nothing else. */
export async function executeBareWrite(
  context: Context,
  caller: Caller,
  {
    plan,
    ...write
  }: Pick<WriteUseCase<WriteResponse>, "operation" | "options" | "expectedVersion"> & {
    readonly plan: () => Omit<PlannedWrite<WriteResponse>, "response">;
  },
): Promise<WriteResponse> {
  return await executeWrite<WriteResponse>(context, caller, {
    ...write,
    plan: () => ({ ...plan(), response: create(WriteResponseSchema) }),
    responseSchema: WriteResponseSchema,
  });
}

/** Returns what is wrong with the write rather than throwing it: another try of the same request may have been carried out. */
async function attemptPlan<R extends WriteAnswer>(
  { store, random, plane: { networksForNewFleets } }: Context,
  useCase: WriteUseCase<R>,
): Promise<PlannedWrite<R> | ControlPlaneError> {
  const requestId = useCase.options?.requestId ?? "";
  try {
    return await useCase.plan({ uid: random.id(), requestId, now: store.now(), networksForNewFleets });
  } catch (error) {
    if (error instanceof ControlPlaneError) return error;
    throw error;
  }
}

function causeOf<R extends WriteAnswer>(caller: Caller, useCase: WriteUseCase<R>, response: R): Cause {
  return {
    actor: caller.actor,
    operation: useCase.operation,
    reason: useCase.options?.reason ?? "",
    requestId: keptRequestId(caller, useCase.options?.requestId ?? ""),
    ...recordResult(caller, useCase, response),
  };
}

function checkOptions(options: WriteOptions | undefined): void {
  const violations: Violation[] = [];
  const limit = (field: string, text: string, max: number) => {
    if (text.length > max)
      violations.push({ field, message: `must have at most ${max} characters, not ${text.length}` });
  };
  limit("options.requestId", options?.requestId ?? "", MAX_REQUEST_ID_LENGTH);
  limit("options.reason", options?.reason ?? "", MAX_REASON_LENGTH);
  if (violations.length > 0) throw invalid("INVALID_FIELD", violations);
}

/** `FENCED`: something that the plan rests on but does not write has changed. */
const LOST_RACES: ReadonlySet<string> = new Set(["VERSION_MISMATCH", "REQUEST_SEEN", "FENCED"]);

function isLostRace(error: unknown): error is ControlPlaneError {
  return error instanceof ControlPlaneError && LOST_RACES.has(error.code);
}

/** @throws ControlPlaneError `unavailable` when the store cannot be asked, or this replica does not keep up with it. */
async function foldPresent(context: Context, caller: Caller): Promise<void> {
  const revision = await context.store.barrier();
  if (await foldedWithin(context, revision, { ms: FOLD_MS, signal: caller.signal })) return;
  throw new ControlPlaneError({
    kind: "unavailable",
    code: "REPLICA_BEHIND",
    message: `replica ${context.plane.replica} has not read the latest writes yet; nothing was written: try again, or ask another replica`,
    details: { replica: context.plane.replica },
  });
}

/** Another writer was first: lets the mirror learn of it, and steps out of the way of others who lost as well. */
async function catchUp(context: Context, caller: Caller, error: ControlPlaneError, attempt: number): Promise<void> {
  const key = error.details["key"];
  const winner = key === undefined ? undefined : await context.store.get(key);
  if (winner !== undefined) await foldedWithin(context, winner.revision, { ms: FOLD_MS, signal: caller.signal });
  await context.clock.sleep(context.random.next() * BACKOFF_MS * attempt, caller.signal);
}
