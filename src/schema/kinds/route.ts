import { ROUTE_LIMITS } from "../../domain/limits.ts";
import {
  DEFAULT_DESTINATION,
  DEFAULT_RULE,
  type Destination,
  type Retry,
  type Route,
  type Rule,
} from "../../domain/route.ts";
import { matchKey } from "../../domain/rule-order.ts";
import {
  type Retry as RetryMessage,
  type Route as RouteMessage,
  RouteSchema,
  type Rule as RuleMessage,
} from "../../gen/fairlead/admin/v1/route_pb.ts";
import { checkCount, checkDuration, checkName, checkRange, parseIdentity, type Report } from "../field-checks.ts";
import { checkHost, checkHostPattern, checkPath } from "../http-checks.ts";
import { parseMatch } from "../parse-match.ts";
import type { KindEntry } from "./kind-entry.ts";

export const ROUTE = {
  message: RouteSchema,
  outputOnly: ["meta", "conditions"],
  parse: parseRoute,
  isApplied: true,
  hasHistory: true,
  gives: "routes",
} as const satisfies KindEntry<"route", RouteMessage>;

/** Envoy's conditions under which a request may be retried. */
const RETRY_CONDITIONS: readonly string[] = [
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "envoy-ratelimited",
  "retriable-4xx",
  "refused-stream",
  "http3-post-connect-failure",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
];

function parseRoute(message: RouteMessage, report: Report): Route {
  for (const field of ["listeners", "hosts", "rules"] as const)
    checkCount(report, field, message[field].length, ROUTE_LIMITS[field]);
  message.listeners = message.listeners.map((text, i) => checkName(report, `listeners[${i}]`, "listener", text));
  message.hosts = message.hosts.map((text, i) => checkHostPattern(report, `hosts[${i}]`, text));
  const rules = message.rules.map((rule, i) => parseRule(rule, report.at(`rules[${i}]`)));
  reportRepeated(message.listeners, "listeners", report);
  reportRepeated(message.hosts, "hosts", report);
  reportRepeated(rules.map(matchKey), "rules", report, " in its match or priority");
  return { ...parseIdentity(report, "route", message), listeners: message.listeners, hosts: message.hosts, rules };
}

function reportRepeated(keys: readonly string[], field: string, report: Report, how = ""): void {
  const first = new Map<string, number>();
  for (const [i, key] of keys.entries()) {
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, i);
    else report(`${field}[${i}]`, `must differ from ${field}[${earlier}]${how}`);
  }
}

function parseRule(message: RuleMessage, report: Report): Rule {
  const { priority, timeout } = ROUTE_LIMITS;
  const { path, headers, methods } = parseMatch(message.match, report.at("match"));
  const { prefix = "", host = "" } = message.rewrite ?? {};
  if (path.kind === "regex" && prefix !== "") {
    report("rewrite.prefix", "must not be given with a regex path: it replaces a prefix or a whole exact path");
  }
  return {
    priority: checkRange(report, "priority", message.priority, priority),
    path,
    headers,
    methods,
    to: parseDestinations(message.to, report),
    timeoutMs: checkDuration(report, "timeout", message.timeout, { ...timeout, otherwiseMs: DEFAULT_RULE.timeoutMs }),
    retry: message.retry && parseRetry(message.retry, report.at("retry")),
    rewrite: {
      prefix: prefix === "" ? undefined : checkPath(report, "rewrite.prefix", prefix),
      host: host === "" ? undefined : checkHost(report, "rewrite.host", host.toLowerCase()),
    },
  };
}

function parseDestinations(to: RuleMessage["to"], report: Report): readonly Destination[] {
  checkCount(report, "to", to.length, ROUTE_LIMITS.destinations);
  const weighted = to.some(({ weight }) => weight !== undefined);
  const destinations = to.map((destination, i) => {
    const place = report.at(`to[${i}]`);
    destination.service = checkName(place, "service", "service", destination.service);
    if (weighted && destination.weight === undefined) {
      place("weight", "must be given, since another destination of the rule has one");
    }
    const weight = destination.weight ?? DEFAULT_DESTINATION.weight;
    return { service: destination.service, weight: checkRange(place, "weight", weight, ROUTE_LIMITS.weight) };
  });
  reportRepeated(
    to.map(({ service }) => service),
    "to",
    report,
    " in its service",
  );
  if (to.length > 0 && destinations.every(({ weight }) => weight === 0)) {
    report("to", "must have weights whose sum is above 0");
  }
  return destinations;
}

function parseRetry({ on, unsafe, ...message }: RetryMessage, report: Report): Retry {
  for (const [i, condition] of on.entries()) {
    if (RETRY_CONDITIONS.includes(condition)) continue;
    report(`on[${i}]`, `must be one of ${RETRY_CONDITIONS.join(", ")}, not "${condition}"`);
  }
  reportRepeated(on, "on", report);
  const { maxMs } = ROUTE_LIMITS.timeout;
  return {
    attempts: checkRange(report, "attempts", message.attempts, ROUTE_LIMITS.attempts),
    on,
    perTryTimeoutMs: checkDuration(report, "perTryTimeout", message.perTryTimeout, {
      minMs: 1,
      maxMs,
      otherwiseMs: undefined,
    }),
    unsafe,
  };
}
