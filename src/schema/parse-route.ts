import {
  MAX_DESTINATION_WEIGHT,
  MAX_DESTINATIONS,
  MAX_RETRY_ATTEMPTS,
  MAX_ROUTE_HOSTS,
  MAX_ROUTE_LISTENERS,
  MAX_ROUTE_TIMEOUT_MS,
  MAX_RULE_PRIORITY,
  MAX_RULES,
} from "../domain/limits.ts";
import type { Name } from "../domain/name.ts";
import {
  DEFAULT_DESTINATION,
  DEFAULT_RULE,
  type Destination,
  type Retry,
  type Route,
  type Rule,
} from "../domain/route.ts";
import { matchKey } from "../domain/rule-order.ts";
import type {
  Retry as RetryMessage,
  Route as RouteMessage,
  Rule as RuleMessage,
} from "../gen/fairlead/admin/v1/route_pb.ts";
import { checkCount, checkDuration, checkName, checkRange, parseIdentity, type Report } from "./field-checks.ts";
import { checkHost, checkHostPattern, checkPath } from "./http-checks.ts";
import { parseMatch } from "./parse-match.ts";

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

export function parseRoute(message: RouteMessage, report: Report): Route {
  checkCount(report, "listeners", message.listeners.length, { min: 1, max: MAX_ROUTE_LISTENERS });
  checkCount(report, "hosts", message.hosts.length, { min: 1, max: MAX_ROUTE_HOSTS });
  checkCount(report, "rules", message.rules.length, { min: 1, max: MAX_RULES });
  message.listeners = message.listeners.map((text, i) => checkName(report, `listeners[${i}]`, "listener", text));
  message.hosts = message.hosts.map((text, i) => checkHostPattern(report, `hosts[${i}]`, text));
  const rules = message.rules.map((rule, i) => parseRule(rule, `rules[${i}]`, report));
  reportRepeated(message.listeners, "listeners", report);
  reportRepeated(message.hosts, "hosts", report);
  reportRepeated(rules.map(matchKey), "rules", report, "has the same match and priority as");
  return { ...parseIdentity(report, "route", message), listeners: message.listeners, hosts: message.hosts, rules };
}

function reportRepeated(keys: readonly string[], field: string, report: Report, words = "is the same as"): void {
  const first = new Map<string, number>();
  for (const [i, key] of keys.entries()) {
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, i);
    else report(`${field}[${i}]`, `${words} ${field}[${earlier}]`);
  }
}

function parseRule(message: RuleMessage, field: string, report: Report): Rule {
  const { path, headers, methods } = parseMatch(message.match, `${field}.match`, report);
  if (path.kind === "regex" && message.rewrite?.prefix) {
    report(
      `${field}.rewrite.prefix`,
      "must not be given with a regex path: it replaces a prefix or a whole exact path",
    );
  }
  return {
    priority: checkRange(report, `${field}.priority`, message.priority, {
      min: -MAX_RULE_PRIORITY,
      max: MAX_RULE_PRIORITY,
    }),
    path,
    headers,
    methods,
    to: parseDestinations(message, `${field}.to`, report),
    timeoutMs: checkDuration(report, `${field}.timeout`, message.timeout, {
      minMs: 0,
      maxMs: MAX_ROUTE_TIMEOUT_MS,
      otherwiseMs: DEFAULT_RULE.timeoutMs,
    }),
    retry: message.retry === undefined ? undefined : parseRetry(message.retry, `${field}.retry`, report),
    rewrite: {
      prefix: message.rewrite?.prefix
        ? checkPath(report, `${field}.rewrite.prefix`, message.rewrite.prefix)
        : undefined,
      host: message.rewrite?.host
        ? checkHost(report, `${field}.rewrite.host`, message.rewrite.host.toLowerCase())
        : undefined,
    },
  };
}

function parseDestinations({ to }: RuleMessage, field: string, report: Report): readonly Destination[] {
  checkCount(report, field, to.length, { min: 1, max: MAX_DESTINATIONS });
  const weighted = to.some(({ weight }) => weight !== undefined);
  const services: Name[] = [];
  const destinations = to.map((destination, i) => {
    destination.service = checkName(report, `${field}[${i}].service`, "service", destination.service);
    services.push(destination.service);
    if (weighted && destination.weight === undefined) {
      report(`${field}[${i}].weight`, "must be given, since another destination of the rule has one");
    }
    const weight = checkRange(report, `${field}[${i}].weight`, destination.weight ?? DEFAULT_DESTINATION.weight, {
      min: 0,
      max: MAX_DESTINATION_WEIGHT,
    });
    return { service: destination.service, weight };
  });
  reportRepeated(services, field, report, "is the same service as");
  if (to.length > 0 && destinations.every(({ weight }) => weight === 0)) {
    report(field, "the weights must have a sum above 0");
  }
  return destinations;
}

function parseRetry(message: RetryMessage, field: string, report: Report): Retry {
  for (const [i, condition] of message.on.entries()) {
    if (!RETRY_CONDITIONS.includes(condition)) {
      report(`${field}.on[${i}]`, `"${condition}" is none of ${RETRY_CONDITIONS.join(", ")}`);
    }
  }
  reportRepeated(message.on, `${field}.on`, report);
  const perTryTimeoutMs = checkDuration(report, `${field}.perTryTimeout`, message.perTryTimeout, {
    minMs: 1,
    maxMs: MAX_ROUTE_TIMEOUT_MS,
    otherwiseMs: 0,
  });
  return {
    attempts: checkRange(report, `${field}.attempts`, message.attempts, { min: 1, max: MAX_RETRY_ATTEMPTS }),
    on: message.on,
    perTryTimeoutMs: message.perTryTimeout === undefined ? undefined : perTryTimeoutMs,
    unsafe: message.unsafe,
  };
}
