import type { SetAside } from "../../control/set-aside.ts";
import { printableStart } from "../../domain/printable.ts";
import type { Finding } from "./finding.ts";

/** How many one answer names: more would hide what else is wrong. */
const LISTED = 20;
const MAX_KEY_LENGTH = 200;
const MAX_WHY_LENGTH = 500;

/** Stored records that cannot be read, for people on call: which, why, what follows from it, and what to do. */
export function setAsideFindings(records: Iterable<SetAside>): Finding[] {
  const all = [...records];
  const listed = all.slice(0, LISTED).map(
    (record): Finding => ({
      what: `stored record ${printableStart(record.key, MAX_KEY_LENGTH)}`,
      since: undefined,
      why: describeSetAside(record),
    }),
  );
  if (all.length <= LISTED) return listed;
  const more = `${all.length - LISTED} more that cannot be read; the log names them`;
  return [...listed, { what: "stored records", since: undefined, why: more }];
}

export function describeSetAside({ key, why, withheld, isUsed, isNewer, dependents }: SetAside): string {
  return `${printableStart(why, MAX_WHY_LENGTH)}; ${effect()}; ${cure()}`;

  function effect(): string {
    if (withheld === "all") return "what comes from it is held back";
    if (withheld === "changes") return "proxies keep what they have of it";
    return dependents.of === "nothing" ? "it is ignored" : "what was stored there before still applies";
  }

  function cure(): string {
    if (isNewer && isUsed) return "run the release that wrote it";
    const removal = `remove it with \`fairlead delete record ${printableStart(key, MAX_KEY_LENGTH)}\`, or restore a backup`;
    return isNewer ? `run the release that wrote it, or ${removal}` : removal;
  }
}
