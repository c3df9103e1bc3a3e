import { ControlPlaneError } from "../../domain/errors.ts";
import type { Kind, Name } from "../../domain/name.ts";
import { formatRevision, reached } from "../../store/revision.ts";
import { type Caller, type Context, foldedWithin } from "../context.ts";
import { readRevision } from "../object-errors.ts";
import type { StoredState } from "./stored-state.ts";

/** How long a write waits for this replica to learn of the version that its caller has seen on another one. */
const CATCH_UP_MS = 2000;

/** Waits for the mirror to reach the version that a caller expects, if that is newer than what is folded. */
export async function awaitExpectedVersion(context: Context, caller: Caller, expected: string): Promise<void> {
  const revision = readRevision("expectedVersion", expected, "version");
  const { mirror } = context;
  if (revision?.epoch === mirror.revision.epoch && !reached(mirror.revision, revision)) {
    await foldedWithin(context, revision, { ms: CATCH_UP_MS, signal: caller.signal });
  }
}

/**
 * Law 2 (uniqueness): a write based on a stale version fails and changes nothing.
 *
 * @throws ControlPlaneError `conflict` / `VERSION_MISMATCH`; names what was found and what was expected.
 */
export function checkExpectedVersion(state: StoredState, kind: Kind, name: Name, expected: string): void {
  if (expected === "") return;
  const stored = state.stored(kind, name);
  const found = stored === undefined ? "" : formatRevision(stored.revision);
  if (found === expected) return;
  throw new ControlPlaneError({
    kind: "conflict",
    code: "VERSION_MISMATCH",
    message: `${kind} ${name} ${found === "" ? "has been deleted" : `has version ${found}`}, but version ${expected} was expected; read it again and repeat the change`,
    details: { kind, name, found, expected },
  });
}
