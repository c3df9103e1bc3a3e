import { DEFAULT_SERVICE, SERVICE_TIMES, type Service } from "../../domain/service.ts";
import {
  Service_EndpointDiscovery,
  Service_Protocol,
  type Service as ServiceMessage,
  ServiceSchema,
} from "../../gen/fairlead/admin/v1/service_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import { factsOf } from "../facts.ts";
import { checkEnum, parseIdentity, type Report, readDuration, readTime } from "../field-checks.ts";
import { identityFacts } from "../identity-facts.ts";
import { HEALTH_CHECK_FACTS, parseHealthCheck } from "../parse-health-check.ts";
import { nameOf } from "../text-forms.ts";
import type { KindEntry } from "./kind-entry.ts";

export const SERVICE = {
  message: ServiceSchema,
  facts: [
    factsOf(ServiceSchema, {
      ...identityFacts("service"),
      protocol: { otherwise: DEFAULT_SERVICE.protocol },
      policy: { text: nameOf("policy") },
      endpointDiscovery: { otherwise: DEFAULT_SERVICE.endpointDiscovery },
      connectTimeout: { time: SERVICE_TIMES.connectTimeout },
      drainTime: { time: SERVICE_TIMES.drainTime },
    }),
    ...HEALTH_CHECK_FACTS,
  ],
  outputOnly: ["meta", "conditions", "status", "checkStartTime"],
  parse: parseService,
  isApplied: true,
  hasHistory: true,
  gives: "cluster",
  settle: (draft, before, { now }) => keepCheckStart(draft, before, now),
  settleImported: (given, before, { now }) => {
    if (given.checkStartTime === undefined) keepCheckStart(given, before, now);
  },
} as const satisfies KindEntry<"service", ServiceMessage>;

/** Remembers when a service that existed without a health check was given one. */
function keepCheckStart(draft: ServiceMessage, before: ServiceMessage | undefined, now: number): void {
  if (draft.healthCheck === undefined || before === undefined) return;
  if (before.healthCheck === undefined) draft.checkStartTime = instantOfMs(now);
  else if (before.checkStartTime !== undefined) draft.checkStartTime = before.checkStartTime;
}

function parseService(message: ServiceMessage, report: Report): Service {
  const { protocol, endpointDiscovery } = DEFAULT_SERVICE;
  return {
    ...parseIdentity(message),
    protocol: checkEnum(report, "protocol", message.protocol, { values: Service_Protocol, otherwise: protocol }),
    policy: message.policy === "" ? undefined : message.policy,
    endpointDiscovery: checkEnum(report, "endpointDiscovery", message.endpointDiscovery, {
      values: Service_EndpointDiscovery,
      otherwise: endpointDiscovery,
    }),
    connectTimeoutMs: readDuration(message.connectTimeout, SERVICE_TIMES.connectTimeout.otherwiseMs),
    drainTimeMs: readDuration(message.drainTime, SERVICE_TIMES.drainTime.otherwiseMs),
    healthCheck:
      message.healthCheck &&
      parseHealthCheck(message.healthCheck, readTime(message.checkStartTime), report.at("healthCheck")),
  };
}
