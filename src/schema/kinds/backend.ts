import { type Backend, DEFAULT_BACKEND, type Target } from "../../domain/backend.ts";
import { BACKEND_LIMITS, BACKEND_METADATA, PORT } from "../../domain/limits.ts";
import {
  Backend_State,
  type Backend as BackendMessage,
  BackendSchema,
  LocalitySchema,
} from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import { factsOf } from "../facts.ts";
import { checkEnum, parseIdentity, type Report, readAddress, readTime } from "../field-checks.ts";
import { identityFacts } from "../identity-facts.ts";
import { ADDRESS, PIPE } from "../text-forms.ts";
import type { KindEntry } from "./kind-entry.ts";

const LOCALITY_PART = { text: { maxLength: BACKEND_LIMITS.localityPartLength } };

export const BACKEND = {
  message: BackendSchema,
  facts: [
    factsOf(
      BackendSchema,
      {
        ...identityFacts("backend"),
        address: { text: ADDRESS },
        pipe: { text: PIPE },
        weight: {
          range: BACKEND_LIMITS.weight,
          otherwise: DEFAULT_BACKEND.weight,
          cure: "drain a backend that is to get no request, or override its health",
        },
        priority: { range: BACKEND_LIMITS.priority, otherwise: DEFAULT_BACKEND.priority },
        metadata: { entries: BACKEND_METADATA },
        checkPort: { range: PORT, cure: "leave it out for the port of `address`" },
      },
      {
        fields: ["address", "pipe"],
        missing: { field: "address", message: "must be given (or `pipe`), for example `10.0.4.7:9001`" },
      },
    ),
    factsOf(LocalitySchema, { region: LOCALITY_PART, zone: LOCALITY_PART, subZone: LOCALITY_PART }),
  ],
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
  const { region = "", zone = "", subZone = "" } = message.locality ?? {};
  return {
    ...parseIdentity(message),
    target: parseTarget(message),
    weight: message.weight ?? DEFAULT_BACKEND.weight,
    locality: { region, zone, subZone },
    priority: message.priority ?? DEFAULT_BACKEND.priority,
    metadata: message.metadata,
    checkPort: message.checkPort,
    state: checkEnum(report, "state", message.state, { values: Backend_State, otherwise: DEFAULT_BACKEND.state }),
    drainedAt: readTime(message.drainTime),
  };
}

function parseTarget({ target }: BackendMessage): Target {
  if (target.case === "address") return { kind: "address", ...readAddress(target.value) };
  return { kind: "pipe", path: target.value ?? "/" };
}
