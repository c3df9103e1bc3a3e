import type { Health } from "../../domain/health.ts";
import { MAX_HEALTH_REASON_LENGTH, MAX_UID_LENGTH } from "../../domain/limits.ts";
import { backendOf, formatName, parseName } from "../../domain/name.ts";
import { Health_Status, type Health as HealthMessage, HealthSchema } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { factsOf } from "../facts.ts";
import { checkEnum, type Report, readMeta, readTime } from "../field-checks.ts";
import { nameOf } from "../text-forms.ts";
import type { KindEntry } from "./kind-entry.ts";

export const HEALTH = {
  message: HealthSchema,
  facts: [
    factsOf(HealthSchema, {
      backend: { required: true, text: nameOf("backend") },
      reason: { text: { maxLength: MAX_HEALTH_REASON_LENGTH } },
      backendUid: { text: { maxLength: MAX_UID_LENGTH } },
    }),
  ],
  outputOnly: ["meta", "actor", "observer", "fence", "inARow", "lastGoodTime", "damping", "statusTime"],
  parse: parseHealth,
  isApplied: false,
  hasHistory: false,
  gives: "endpoints",
  isImported: ({ source }) => source === "override",
} as const satisfies KindEntry<"health", HealthMessage>;

/** What a verdict may be; the others only follow from having none. */
const { HEALTHY, DEGRADED, UNHEALTHY } = Health_Status;

function parseHealth(message: HealthMessage, report: Report): Health {
  if (message.status === Health_Status.STATUS_UNSPECIFIED) report("status", "must be HEALTHY, DEGRADED or UNHEALTHY");
  return {
    ...parseNames(message, report),
    meta: readMeta(message.meta),
    source: message.source,
    status: checkEnum(report, "status", message.status, {
      values: { HEALTHY, DEGRADED, UNHEALTHY },
      otherwise: "UNHEALTHY",
    }),
    reason: message.reason,
    sequence: message.sequence,
    observedAt: readTime(message.observeTime),
    backendUid: message.backendUid,
    expiresAt: readTime(message.expireTime),
    actor: message.actor,
    observer: message.observer,
    fencingToken: message.fence,
    inRow: message.inARow,
    lastGoodAt: readTime(message.lastGoodTime),
    // Earlier releases did not store it.
    statusSince: readTime(message.statusTime ?? message.meta?.updateTime),
    damping: {
      penalty: message.damping?.penalty ?? 0,
      asOf: readTime(message.damping?.asOfTime) ?? 0,
      held: message.damping?.held ?? false,
    },
  };
}

function parseNames(message: HealthMessage, report: Report): Pick<Health, "name" | "backend"> {
  const backend = parseName("backend", message.backend);
  if (!backend.ok) return { name: "", backend: message.backend };
  const name = formatName("health", { ...backend.parts, ids: [...backend.parts.ids, message.source] });
  const parsed = parseName("health", name);
  if (parsed.ok) return { name, backend: backendOf(name) };
  report("source", parsed.message);
  return { name, backend: message.backend };
}
