import { type Backend, DEFAULT_BACKEND, type Target, targetText } from "../../domain/backend.ts";
import { BACKEND_LIMITS, BACKEND_METADATA, MAX_PIPE_PATH_BYTES, PORT } from "../../domain/limits.ts";
import {
  Backend_State,
  type Backend as BackendMessage,
  BackendSchema,
} from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import {
  checkAddress,
  checkEntries,
  checkEnum,
  checkLength,
  checkRangeOr,
  parseIdentity,
  type Report,
  readTime,
} from "../field-checks.ts";
import type { KindEntry } from "./kind-entry.ts";

export const BACKEND = {
  message: BackendSchema,
  outputOnly: ["meta", "conditions", "status", "state", "drainTime"],
  parse: parseBackend,
  isApplied: true,
  // Backends change too often.
  hasHistory: false,
  gives: "endpoints",
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
} as const satisfies KindEntry<"backend", BackendMessage>;

function parseBackend(message: BackendMessage, report: Report): Backend {
  // There is one way to store it: the default is left out, as it always was.
  if (message.priority === 0) delete message.priority;
  const { weight, priority, localityPartLength } = BACKEND_LIMITS;
  const part = (name: "region" | "zone" | "subZone") =>
    checkLength(report, `locality.${name}`, message.locality?.[name] ?? "", localityPartLength);
  return {
    ...parseIdentity(report, "backend", message),
    target: parseTarget(message, report),
    weight: checkRangeOr(report, "weight", message.weight, {
      ...weight,
      otherwise: DEFAULT_BACKEND.weight,
      cure: "drain a backend that is to get no request, or override its health",
    }),
    locality: { region: part("region"), zone: part("zone"), subZone: part("subZone") },
    priority: checkRangeOr(report, "priority", message.priority, { ...priority, otherwise: DEFAULT_BACKEND.priority }),
    metadata: checkEntries(report, "metadata", message.metadata, BACKEND_METADATA),
    checkPort: checkRangeOr(report, "checkPort", message.checkPort, {
      ...PORT,
      otherwise: undefined,
      cure: "leave it out for the port of `address`",
    }),
    state: checkEnum(report, "state", message.state, { values: Backend_State, otherwise: DEFAULT_BACKEND.state }),
    drainedAt: readTime(message.drainTime),
  };
}

function parseTarget({ target }: BackendMessage, report: Report): Target {
  if (target.case === "address") {
    const address: Target = { kind: "address", ...checkAddress(report, "address", target.value) };
    target.value = targetText(address);
    return address;
  }
  if (target.case === "pipe") {
    const bytes = new TextEncoder().encode(target.value).length;
    if (!target.value.startsWith("/") || target.value.includes("\0") || bytes > MAX_PIPE_PATH_BYTES) {
      report("pipe", `must be an absolute path of at most ${MAX_PIPE_PATH_BYTES} bytes, none of them zero`);
    }
    return { kind: "pipe", path: target.value };
  }
  report("address", "must be given (or `pipe`), for example `10.0.4.7:9001`");
  return { kind: "pipe", path: "/" };
}
