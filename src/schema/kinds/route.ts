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
  DestinationSchema,
  type Retry as RetryMessage,
  RetrySchema,
  RewriteSchema,
  type Route as RouteMessage,
  RouteSchema,
  type Rule as RuleMessage,
  RuleSchema,
} from "../../gen/fairlead/admin/v1/route_pb.ts";
import { factsOf } from "../facts.ts";
import { parseIdentity, type Report, readDuration } from "../field-checks.ts";
import { identityFacts } from "../identity-facts.ts";
import { MATCH_FACTS, parseMatch } from "../parse-match.ts";
import { HOST, HOST_PATTERN, nameOf, PATH } from "../text-forms.ts";
import type { KindEntry } from "./kind-entry.ts";

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

export const ROUTE = {
  message: RouteSchema,
  facts: [
    factsOf(RouteSchema, {
      ...identityFacts("route"),
      listeners: { count: ROUTE_LIMITS.listeners, text: nameOf("listener"), isUnique: true },
      hosts: { count: ROUTE_LIMITS.hosts, text: HOST_PATTERN, isUnique: true },
      rules: { count: ROUTE_LIMITS.rules },
    }),
    factsOf(RuleSchema, {
      priority: { range: ROUTE_LIMITS.priority, otherwise: 0 },
      to: { count: ROUTE_LIMITS.destinations },
      timeout: { time: { ...ROUTE_LIMITS.timeout, otherwiseMs: DEFAULT_RULE.timeoutMs } },
    }),
    ...MATCH_FACTS,
    factsOf(DestinationSchema, {
      service: { required: true, text: nameOf("service") },
      weight: { range: ROUTE_LIMITS.weight },
    }),
    factsOf(RetrySchema, {
      attempts: { range: ROUTE_LIMITS.attempts },
      on: { text: { values: RETRY_CONDITIONS }, isUnique: true },
      perTryTimeout: { time: { minMs: 1, maxMs: ROUTE_LIMITS.timeout.maxMs } },
    }),
    factsOf(RewriteSchema, { prefix: { text: PATH }, host: { text: HOST } }),
  ],
  outputOnly: ["meta", "conditions"],
  parse: parseRoute,
  isApplied: true,
  hasHistory: true,
  gives: "routes",
} as const satisfies KindEntry<"route", RouteMessage>;

function parseRoute(message: RouteMessage, report: Report): Route {
  const { listeners, hosts } = message;
  const rules = message.rules.map((rule, i) => parseRule(rule, report.at(`rules[${i}]`)));
  reportRepeated(rules.map(matchKey), "rules", report, "its match or priority");
  return { ...parseIdentity(message), listeners, hosts, rules };
}

function reportRepeated(keys: readonly string[], field: string, report: Report, what: string): void {
  const first = new Map<string, number>();
  for (const [i, key] of keys.entries()) {
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, i);
    else report(`${field}[${i}]`, `must differ from ${field}[${earlier}] in ${what}`);
  }
}

function parseRule(message: RuleMessage, report: Report): Rule {
  const { path, headers, methods } = parseMatch(message.match, report.at("match"));
  const { prefix = "", host = "" } = message.rewrite ?? {};
  if (path.kind === "regex" && prefix !== "") {
    report("rewrite.prefix", "must not be given with a regex path: it replaces a prefix or a whole exact path");
  }
  return {
    priority: message.priority,
    path,
    headers,
    methods,
    to: parseDestinations(message.to, report),
    timeoutMs: readDuration(message.timeout, DEFAULT_RULE.timeoutMs),
    retry: message.retry && parseRetry(message.retry),
    rewrite: { prefix: prefix === "" ? undefined : prefix, host: host === "" ? undefined : host.toLowerCase() },
  };
}

function parseDestinations(to: RuleMessage["to"], report: Report): readonly Destination[] {
  const weighted = to.some(({ weight }) => weight !== undefined);
  const destinations = to.map(({ service, weight }, i) => {
    if (weighted && weight === undefined) {
      report(`to[${i}].weight`, "must be given, since another destination of the rule has one");
    }
    return { service, weight: weight ?? DEFAULT_DESTINATION.weight };
  });
  reportRepeated(
    to.map(({ service }) => service),
    "to",
    report,
    "its service",
  );
  if (to.length > 0 && destinations.every(({ weight }) => weight === 0)) {
    report("to", "must have weights whose sum is above 0");
  }
  return destinations;
}

function parseRetry({ on, unsafe, attempts, perTryTimeout }: RetryMessage): Retry {
  return { attempts, on, perTryTimeoutMs: readDuration(perTryTimeout, undefined), unsafe };
}
