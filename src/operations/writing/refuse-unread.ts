import type { Mirror } from "../../control/mirror.ts";
import { sameRevision } from "../../store/revision.ts";
import type { Guard } from "../../store/state-store.ts";
import { precondition } from "../object-errors.ts";
import { describeSetAside } from "../observing/set-aside-findings.ts";

/**
 * Refuses a write to an object that is stored in a form that cannot be read: nobody knows what it would replace.
 *
 * @param guard Of the write: one that names what is stored now means to replace it.
 * @throws ControlPlaneError `precondition` / `STORED_RECORD_UNREADABLE`, which says what to do.
 */
export function refuseUnread({ setAside }: Pick<Mirror, "setAside">, key: string, guard?: Guard): void {
  const record = setAside.get(key);
  if (record?.object === undefined || record.isUsed) return;
  if (typeof guard === "object" && sameRevision(guard, record.revision)) return;
  const message = `what is stored under ${key} cannot be read: ${describeSetAside(record)}`;
  throw precondition("STORED_RECORD_UNREADABLE", message, { key });
}
