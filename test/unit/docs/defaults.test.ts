import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DescEnum, DescMessage } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { DEFAULT_BACKEND } from "../../../src/domain/backend.ts";
import { DEFAULT_DAMPING } from "../../../src/domain/damping.ts";
import { FORGET_AFTER } from "../../../src/domain/fleet.ts";
import { FIRST_FLEET_PROFILE, fleetProfile, NEW_FLEET_PROFILE } from "../../../src/domain/fleet-profile.ts";
import { DEFAULT_HEALTH_CHECK, DEFAULT_HTTP_PROBE, HEALTH_CHECK_TIMES } from "../../../src/domain/health-check.ts";
import { LEDS_BELOW, LEDS_FROM } from "../../../src/domain/leds.ts";
import { DEFAULT_LISTENER, HTTP_LISTENER_TIMES } from "../../../src/domain/listener.ts";
import { DEFAULT_OUTLIER_DETECTION, DEFAULT_POLICY } from "../../../src/domain/policy.ts";
import { DEFAULT_DESTINATION, DEFAULT_RULE } from "../../../src/domain/route.ts";
import { DEFAULT_SERVICE, SERVICE_TIMES } from "../../../src/domain/service.ts";
import { DEFAULT_PAGE_SIZE } from "../../../src/operations/objects/page.ts";
import { DEFAULT_EXPLAINED_METHOD } from "../../../src/operations/observing/explain-request.ts";
import { DEFAULT_WAIT_MS } from "../../../src/operations/observing/wait-for-revision.ts";
import { readProtos } from "../../../src/schema/comments.ts";

const root = join(import.meta.dirname, "../../..");
const [first, newest] = [fleetProfile(FIRST_FLEET_PROFILE), fleetProfile(NEW_FLEET_PROFILE)];
const { circuitBreakers, ringSize } = DEFAULT_POLICY;
const [statuses] = DEFAULT_HTTP_PROBE.expectedStatuses;

/** What a field gets that is left out: durations in milliseconds; several where it depends on the fleet's profile. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  "Listener.Protocol": DEFAULT_LISTENER.protocol,
  "Service.Protocol": DEFAULT_SERVICE.protocol,
  "Service.EndpointDiscovery": DEFAULT_SERVICE.endpointDiscovery,
  "Service.connect_timeout": SERVICE_TIMES.connectTimeout.otherwiseMs,
  "Service.drain_time": SERVICE_TIMES.drainTime.otherwiseMs,
  "HealthCheck.InitialState": DEFAULT_HEALTH_CHECK.initial,
  "HealthCheck.interval": HEALTH_CHECK_TIMES.interval.otherwiseMs,
  "HealthCheck.timeout": HEALTH_CHECK_TIMES.timeout.otherwiseMs,
  "HealthCheck.unhealthy_threshold": DEFAULT_HEALTH_CHECK.unhealthyThreshold,
  "HealthCheck.healthy_threshold": DEFAULT_HEALTH_CHECK.healthyThreshold,
  // A number that cannot be left out: 0 is what nobody wrote.
  "HealthCheck.jitter_percent": 0,
  "HealthCheck.changing_interval": HEALTH_CHECK_TIMES.changingInterval.otherwiseMs,
  "HttpCheck.method": DEFAULT_HTTP_PROBE.method,
  "HttpCheck.path": DEFAULT_HTTP_PROBE.path,
  "HttpCheck.expected_statuses": `${statuses.first} to ${statuses.last}`,
  "StatusRange.last": "first",
  "Policy.Algorithm": DEFAULT_POLICY.algorithm,
  "Policy.panic_threshold": DEFAULT_POLICY.panicThreshold,
  "LeastRequest.choice_count": DEFAULT_POLICY.choiceCount,
  "RingHash.minimum_ring_size": ringSize.minimum,
  "RingHash.maximum_ring_size": ringSize.maximum,
  "Maglev.table_size": DEFAULT_POLICY.maglevTableSize,
  "CircuitBreakers.max_connections": circuitBreakers.maxConnections,
  "CircuitBreakers.max_retries": circuitBreakers.maxRetries,
  "OutlierDetection.disabled": DEFAULT_POLICY.outlierDetection === undefined,
  "OutlierDetection.consecutive_5xx": DEFAULT_OUTLIER_DETECTION.consecutive5xx,
  "OutlierDetection.interval": DEFAULT_OUTLIER_DETECTION.intervalMs,
  "OutlierDetection.base_ejection_time": DEFAULT_OUTLIER_DETECTION.baseEjectionTimeMs,
  "OutlierDetection.max_ejection_percent": [newest.maxEjectionPercent, first.maxEjectionPercent],
  "Damping.disabled": DEFAULT_POLICY.damping === undefined,
  "Damping.half_life": DEFAULT_DAMPING.halfLifeMs,
  "Damping.hold_above": DEFAULT_DAMPING.holdAbove,
  "Damping.release_below": DEFAULT_DAMPING.releaseBelow,
  "Damping.max_hold": DEFAULT_DAMPING.maxHoldMs,
  "Backend.weight": DEFAULT_BACKEND.weight,
  "Fleet.forget_after": FORGET_AFTER.otherwiseMs,
  "Listener.idle_timeout": HTTP_LISTENER_TIMES.idleTimeout.otherwiseMs,
  "Listener.stream_idle_timeout": HTTP_LISTENER_TIMES.streamIdleTimeout.otherwiseMs,
  "Listener.request_headers_timeout": HTTP_LISTENER_TIMES.requestHeadersTimeout.otherwiseMs,
  "Listener.drain_timeout": HTTP_LISTENER_TIMES.drainTimeout.otherwiseMs,
  "Rule.timeout": DEFAULT_RULE.timeoutMs,
  "Destination.weight": DEFAULT_DESTINATION.weight,
  "Retry.on": newest.retryOn.join(","),
  "ListRequest.page_size": DEFAULT_PAGE_SIZE,
  "ExplainRequestRequest.method": DEFAULT_EXPLAINED_METHOD,
  "WaitForRevisionRequest.Disconnected": "WAIT",
  "WaitForRevisionRequest.timeout": DEFAULT_WAIT_MS,
};

/** Breakers of which the comment on the first one says that they are as it. */
const AS_THE_FIRST = [circuitBreakers.maxPendingRequests, circuitBreakers.maxRequests];

/** `default 5 s`, ``Default `GET` ``, `Default: 200 to 299`; what is said in words is no value. */
const VALUE = /\b[Dd]efault:? (?:`([^`]+)`|([1-9]\d\d to [1-9]\d\d|\d+(?: (?:ms|s|min|h)\b)?|true|false|[A-Z]{2,}))/g;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

describe("what comments of the API say of defaults", () => {
  const told = new Map<string, unknown>();
  const protos = readProtos();
  for (const file of protos.registry.files) {
    if (!file.name.startsWith("proto/fairlead/admin") && !file.name.startsWith("fairlead/admin")) continue;
    for (const message of file.messages) readMessage(message);
    for (const one of file.enums) readEnum(one);
  }

  function readMessage(message: DescMessage): void {
    for (const field of message.fields) {
      const values = Array.from(
        protos.commentOf(field).matchAll(VALUE),
        ([, quoted, plain = ""]) => quoted ?? value(plain),
      );
      if (values.length > 0) told.set(`${message.name}.${field.name}`, values.length === 1 ? values[0] : values);
    }
    message.nestedEnums.forEach(readEnum);
    message.nestedMessages.forEach(readMessage);
  }

  function readEnum(one: DescEnum): void {
    const chosen = one.values.find((each) => /\bThe default\b/.test(protos.commentOf(each)));
    if (chosen !== undefined) told.set(`${one.parent?.name}.${one.name}`, chosen.name);
  }

  test("is what the objects get, each value of them", () => {
    expect(Object.fromEntries(told)).toEqual(DEFAULTS);
    expect(AS_THE_FIRST).toEqual([circuitBreakers.maxConnections, circuitBreakers.maxConnections]);
  });
});

function value(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  const [, number, unit = ""] = /^(\d+)(?: (\w+))?$/.exec(text) ?? [];
  if (number === undefined) return text;
  return Number(number) * (UNIT_MS[unit] ?? 1);
}

/** `5 min`, as pages write it. */
function duration(ms: number): string {
  const [unit = "ms", size = 1] = Object.entries(UNIT_MS).findLast(([, one]) => ms % one === 0) ?? [];
  return `${ms / size} ${unit}`;
}

test.each([
  ["configuration.md", `LEDS from ${LEDS_FROM} backends on, EDS again below ${LEDS_BELOW}`],
  ["concepts.md", `A rule's \`timeout\` (${duration(DEFAULT_RULE.timeoutMs)})`],
  ["concepts.md", `\`streamIdleTimeout\` (${duration(HTTP_LISTENER_TIMES.streamIdleTimeout.otherwiseMs)})`],
  ["grpc-and-websockets.md", `| ${duration(DEFAULT_RULE.timeoutMs)}, for the head of the answer`],
  ["grpc-and-websockets.md", `| **${duration(DEFAULT_RULE.timeoutMs)}, for the whole answer**`],
  ["grpc-and-websockets.md", `| ${duration(HTTP_LISTENER_TIMES.streamIdleTimeout.otherwiseMs)} without a byte`],
  ["grpc-and-websockets.md", `\`drainTimeout\` (${duration(HTTP_LISTENER_TIMES.drainTimeout.otherwiseMs)})`],
  [
    "health.md",
    `adds ${DEFAULT_DAMPING.perFlap} to a penalty that halves every ${DEFAULT_DAMPING.halfLifeMs / 1000} s`,
  ],
  ["health.md", `Above ${DEFAULT_DAMPING.holdAbove} the backend is held`],
  ["health.md", `below ${DEFAULT_DAMPING.releaseBelow}: the third change`],
  ["health.md", `at most ${DEFAULT_DAMPING.maxHoldMs / 1000} s after the last one`],
  ["api.md", `(default ${duration(DEFAULT_WAIT_MS)})`],
])("%s says %s", (page, text) => {
  // Lines of a page end anywhere.
  expect(readFileSync(join(root, "docs", page), "utf8").replaceAll(/\s+/g, " ")).toContain(text);
});

test("no default is written where an object is read: each stands beside its noun in the domain", () => {
  const folder = join(root, "src/schema");
  const found = readdirSync(folder)
    .filter((name) => name.startsWith("parse-"))
    .flatMap((name) =>
      readFileSync(join(folder, name), "utf8")
        .split("\n")
        .filter((line) => /\botherwise(?:Ms)?: (?:[1-9]|Math\.\w+\([1-9])|\?\? [1-9]/.test(line))
        .map((line) => `${name}: ${line.trim()}`),
    );
  expect(found).toEqual([]);
});
