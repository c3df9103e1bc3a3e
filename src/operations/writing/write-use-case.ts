import type { Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { Meta } from "../../gen/fairlead/admin/v1/meta_pb.ts";
import type { WriteOptions } from "../../gen/fairlead/admin/v1/write_pb.ts";
import type { BatchGuard, StoreOp } from "../../store/state-store.ts";
import type { Stamp } from "./next-meta.ts";

/** What every write answers: its place in the log, and more. */
export type WriteAnswer = Message & { revision: string };

export interface PlannedWrite<R extends WriteAnswer> {
  /** Each is guarded by what the plan was based on. Empty: nothing changes, and `response` is complete. */
  readonly ops: readonly StoreOp[];
  /** What else the plan rests on. */
  readonly guard?: BatchGuard | undefined;
  /** Without the revision and the version that only the commit gives. */
  readonly response: R;
}

/** A write, apart from how it is carried out. */
export interface WriteUseCase<R extends WriteAnswer> {
  /** Its name in the journal: `register-backend`. */
  readonly operation: string;
  readonly responseSchema: GenMessage<R>;
  readonly options: WriteOptions | undefined;
  /** The version that the plan checks; empty when the caller gave none. */
  readonly expectedVersion: string;
  /**
   * Decides on the mirror as it is when it is called, and is called again after a lost race.
   *
   * @throws ControlPlaneError when the write is refused.
   */
  readonly plan: (stamp: Stamp) => PlannedWrite<R> | Promise<PlannedWrite<R>>;
  /** The object in an answer, if it has one; its version is the commit's. */
  readonly objectOf?: (response: R) => { meta?: Meta | undefined } | undefined;
  /** The answer without what may be long, if anything is, for a retry of a write whose answer is too long to keep. */
  readonly brief?: (response: R) => R;
}

/** Fills in what only the commit gives. */
export function completeAnswer<R extends WriteAnswer>(useCase: WriteUseCase<R>, response: R, revision: string): R {
  response.revision = revision;
  const meta = useCase.objectOf?.(response)?.meta;
  if (meta !== undefined) meta.version = revision;
  return response;
}
