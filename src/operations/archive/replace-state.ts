import type { Mirror } from "../../control/mirror.ts";
import { KINDS } from "../../domain/name.ts";
import type { ReplaceOptions } from "../../gen/fairlead/admin/v1/archive_pb.ts";
import type { ArchiveRecord } from "../../store/archive.ts";
import type { Revision } from "../../store/revision.ts";
import { type Caller, type Context, foldedWithin } from "../context.ts";
import { badField, precondition } from "../object-errors.ts";

const MAX_REASON_LENGTH = 1024;
/** How long an answer waits for this replica to fold the new state, which may be large; it is durable by then. */
const FOLD_MS = 60_000;
/** How many keys the journal entry of a replacement names; with more, it names none. */
const MAX_JOURNAL_KEYS = 1_000;

/** @throws ControlPlaneError `precondition` / `STATE_NOT_EMPTY` unless the state is empty or its replacement was asked for. */
export function checkReplace(state: Mirror, options: ReplaceOptions | undefined): void {
  if ((options?.reason ?? "").length > MAX_REASON_LENGTH) {
    throw badField("options.reason", `must have at most ${MAX_REASON_LENGTH} characters`);
  }
  if (options?.replace === true || options?.validateOnly === true || isEmpty(state)) return;
  const message = "the plane has objects, all of which would be replaced; ask for that if it is intended";
  throw precondition("STATE_NOT_EMPTY", message);
}

/** Records that cannot be read count too. */
function isEmpty(state: Mirror): boolean {
  return state.setAside.size === 0 && KINDS.every((kind) => state.all(kind)[Symbol.iterator]().next().done === true);
}

/** Replaces the whole state, and returns the first revision of the new epoch once this replica serves it. */
export async function replaceState(
  context: Context,
  caller: Caller,
  replacement: {
    readonly operation: string;
    readonly reason: string;
    readonly parts: AsyncIterable<readonly ArchiveRecord[]>;
    readonly keys: readonly string[];
    /** Called when all parts have been read. */
    readonly laterThan: () => number;
  },
): Promise<Revision> {
  const { operation, reason, parts, keys } = replacement;
  const { revision } = await context.archive.replace(parts, {
    cause: { actor: caller.actor, operation, reason, requestId: "" },
    keys: keys.length > MAX_JOURNAL_KEYS ? [] : keys,
    laterThan: replacement.laterThan,
  });
  await foldedWithin(context, revision, { ms: FOLD_MS, signal: caller.signal });
  return revision;
}
