import { Backend_State, BackendSchema } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import { parseBackend } from "../parse-backend.ts";
import { kindEntry } from "./kind-entry.ts";

export const BACKEND = kindEntry({
  kind: "backend",
  plural: "backends",
  message: BackendSchema,
  outputOnly: ["meta", "conditions", "status", "state", "drainTime"],
  parse: parseBackend,
  isApplied: true,
  // Backends change too often.
  hasHistory: false,
  gives: "endpoints",
  isOnTheWay: false,
  /** A backend keeps its lifecycle state, which only draining changes; a new one is active. */
  settle: (draft, before) => {
    draft.state = before?.state ?? Backend_State.ACTIVE;
    if (before?.drainTime !== undefined) draft.drainTime = before.drainTime;
  },
  settleImported: (given, before, { now }) => {
    given.state ||= before?.state ?? Backend_State.ACTIVE;
    if (given.state !== Backend_State.DRAINING) delete given.drainTime;
    else given.drainTime ??= before?.drainTime ?? instantOfMs(now);
  },
});
