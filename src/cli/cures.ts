import type { Command } from "commander";

/** Options that allow what is refused, by the reason. */
const ALLOWED_BY: Readonly<Record<string, readonly string[]>> = {
  REMOVAL_TOO_LARGE: ["--allow-removal"],
  STILL_REFERRED_TO: ["--allow-removal", "--force"],
  STATE_NOT_EMPTY: ["--replace"],
  BACKUP_RECORD_UNREADABLE: ["--leave-out-unreadable"],
  NO_BACKEND_LEFT: ["--allow-removal", "--force"],
  NO_PROXIES: ["--allow-empty"],
};

/** What to do about an error that has several cures, or one that is not an option. */
const OTHERWISE: Readonly<Record<string, string>> = {
  CREATES_CONDITIONS: "Fix that, or repeat without --strict.",
  BATCH_TOO_LARGE:
    "Apply the manifests in parts: first services, policies, fleets and listeners, then backends, then routes; each part is " +
    "applied as a whole. With --prune, give each part an owner of its own. To replace the whole state, use fairlead import.",
};

/** What to do about an error, in terms of the refused command's options; empty when no cure is known. */
export function cureFor(reason: string, command: Command | undefined): readonly string[] {
  const options = command?.options.map(({ long }) => long) ?? [];
  const option = ALLOWED_BY[reason]?.find((long) => options.includes(long));
  const cure = option === undefined ? OTHERWISE[reason] : `Repeat with ${option} if that is intended.`;
  return cure === undefined ? [] : [cure];
}
