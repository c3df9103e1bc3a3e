import { ControlPlaneError } from "../../domain/errors.ts";
import { printableStart } from "../../domain/printable.ts";
import type { DeleteRecordRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { WriteResponse } from "../../gen/fairlead/admin/v1/write_pb.ts";
import { MAX_KEY_LENGTH } from "../../store/state-store.ts";
import type { Caller, Context } from "../context.ts";
import { precondition } from "../object-errors.ts";
import { executeBareWrite } from "../writing/execute-write.ts";

/**
 * Removes a stored record that cannot be read, whatever lies under its key. What can be read is deleted by other operations.
 *
 * @throws ControlPlaneError `notFound` / `RECORD_NOT_FOUND` when no record that cannot be read has this key; `precondition` /
 * `WRITTEN_BY_NEWER_RELEASE` for an object that is unknown here only in part.
 */
export async function deleteRecord(
  context: Context,
  caller: Caller,
  { key, options }: Omit<DeleteRecordRequest, "$typeName">,
): Promise<WriteResponse> {
  return await executeBareWrite(context, caller, {
    operation: "delete-record",
    options,
    expectedVersion: "",
    plan: () => {
      const record = context.mirror.setAside.get(key);
      if (record === undefined) throw notFound(key);
      if (record.isUsed) throw isRead(key, record.why);
      return { ops: [{ op: "delete", key, guard: record.revision }] };
    },
  });
}

function notFound(key: string): ControlPlaneError {
  const shown = printableStart(key, MAX_KEY_LENGTH);
  return new ControlPlaneError({
    kind: "notFound",
    code: "RECORD_NOT_FOUND",
    message: `there is no record ${shown} that cannot be read; \`fairlead status\` lists the ones that exist`,
  });
}

function isRead(key: string, why: string): ControlPlaneError {
  const message = `${key} can be read in part (${why}); delete the object itself, or run the release that wrote it`;
  return precondition("WRITTEN_BY_NEWER_RELEASE", message, { key });
}
