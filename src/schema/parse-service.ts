import { DEFAULT_SERVICE, SERVICE_TIMES, type Service } from "../domain/service.ts";
import {
  Service_EndpointDiscovery,
  Service_Protocol,
  type Service as ServiceMessage,
} from "../gen/fairlead/admin/v1/service_pb.ts";
import { checkDuration, checkEnum, checkName, parseIdentity, type Report, readTime } from "./field-checks.ts";
import { parseHealthCheck } from "./parse-health-check.ts";

const PROTOCOLS: Readonly<Record<number, Service["protocol"]>> = {
  [Service_Protocol.HTTP]: "HTTP",
  [Service_Protocol.HTTP2]: "HTTP2",
};

const ENDPOINT_DISCOVERIES: Readonly<Record<number, Service["endpointDiscovery"]>> = {
  [Service_EndpointDiscovery.AUTO]: "AUTO",
  [Service_EndpointDiscovery.EDS]: "EDS",
  [Service_EndpointDiscovery.LEDS]: "LEDS",
};

export function parseService(message: ServiceMessage, report: Report): Service {
  if (message.policy !== "") message.policy = checkName(report, "policy", "policy", message.policy);
  return {
    ...parseIdentity(report, "service", message),
    protocol: checkEnum(report, "protocol", message.protocol, {
      values: PROTOCOLS,
      otherwise: DEFAULT_SERVICE.protocol,
    }),
    policy: message.policy === "" ? undefined : message.policy,
    endpointDiscovery: checkEnum(report, "endpointDiscovery", message.endpointDiscovery, {
      values: ENDPOINT_DISCOVERIES,
      otherwise: DEFAULT_SERVICE.endpointDiscovery,
    }),
    connectTimeoutMs: checkDuration(report, "connectTimeout", message.connectTimeout, SERVICE_TIMES.connectTimeout),
    drainTimeMs: checkDuration(report, "drainTime", message.drainTime, SERVICE_TIMES.drainTime),
    healthCheck:
      message.healthCheck === undefined
        ? undefined
        : parseHealthCheck(message.healthCheck, readTime(message.checkStartTime), report),
  };
}
