import type { RestoreRequest, RestoreResponse } from "../../gen/fairlead/admin/v1/archive_pb.ts";
import { formatRevision } from "../../store/revision.ts";
import type { Caller, Context } from "../context.ts";
import { BackupReader } from "./backup-reader.ts";
import { checkReplace, replaceState } from "./replace-state.ts";

/**
 * Makes the store hold what a backup holds and nothing else, and begins a new epoch. Every record is read and checked before
 * anything is committed; if one cannot be read, all are refused, unless the caller asks to leave such records out.
 *
 * One thing from the present is kept: which proxies refused what. That is about them and not about the state, and without
 * it they could be left with something that nobody knows of.
 *
 * @throws ControlPlaneError `invalid` / `BAD_BACKUP`, `BACKUP_RECORD_UNREADABLE` with the records; `precondition` / `STATE_NOT_EMPTY`,
 * `WRITTEN_BY_NEWER_RELEASE`; and as `Archive.replace` does. Nothing has changed then.
 */
export async function restore(
  context: Context,
  caller: Caller,
  requests: AsyncIterable<RestoreRequest>,
): Promise<Omit<RestoreResponse, "$typeName">> {
  const reader = new BackupReader(context.store, requests);
  const first = await reader.begin();
  checkReplace(context.mirror, first);
  const revision = await replaceState(context, caller, {
    operation: "restore",
    reason: first?.reason ?? "",
    parts: reader.parts(),
    keys: [],
    laterThan: () => reader.epoch,
  });
  return { revision: formatRevision(revision), restored: reader.end, leftOut: reader.leftOut };
}
