import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { HashKey } from "../domain/policy.ts";
import type { HeaderMatch, PathMatch, Rule } from "../domain/route.ts";
import { effectivePolicy } from "../domain/routing-state.ts";
import type { PlacedRule } from "../domain/rule-order.ts";
import type { State } from "../domain/state.ts";
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type RetryPolicySchema,
  type Route,
  type RouteActionSchema,
  type RouteMatchSchema,
  RouteSchema,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { PreviousHostsPredicateSchema } from "../gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts";
import type { StringMatcherSchema } from "../gen/envoy/type/matcher/v3/string_pb.ts";
import { hashKeys, hashPolicy } from "./load-balancing.ts";
import { duration, pack } from "./message-parts.ts";

/** How one path leads on: what Envoy matches, and what it puts in place of that. */
interface Leg {
  readonly path: NonNullable<MessageInitShape<typeof RouteMatchSchema>["pathSpecifier"]>;
  readonly prefixRewrite: string;
}

/** Envoy's routes for one rule: one for each of its methods, and two where a prefix is rewritten to the root. */
export function deriveRule(state: State, { route, rule }: PlacedRule): Route[] {
  const headers = rule.headers.map(headerMatcher);
  const methods = rule.methods.length === 0 ? [[]] : rule.methods.map((method) => [methodMatcher(method)]);
  const action = routeAction(state, rule);
  return legs(rule).flatMap(({ path, prefixRewrite }) =>
    methods.map((method) =>
      create(RouteSchema, {
        name: route.name,
        match: { pathSpecifier: path, headers: [...method, ...headers] },
        action: { case: "route", value: { ...action, prefixRewrite } },
      }),
    ),
  );
}

function legs({ path, rewrite }: Rule): readonly Leg[] {
  if (rewrite.prefix === undefined || path.kind !== "prefix") {
    return [{ path: pathSpecifier(path), prefixRewrite: rewrite.prefix ?? "" }];
  }
  const target = rewrite.prefix.replace(/(.)\/$/, "$1");
  // The prefix `/` ends with the slash that any other one leaves in place.
  if (path.path === "/") return [{ path: pathSpecifier(path), prefixRewrite: target === "/" ? "" : `${target}/` }];
  if (target !== "/") return [{ path: pathSpecifier(path), prefixRewrite: target }];
  return [
    { path: { case: "path", value: path.path }, prefixRewrite: "/" },
    { path: { case: "prefix", value: `${path.path}/` }, prefixRewrite: "/" },
  ];
}

function pathSpecifier(path: PathMatch): Leg["path"] {
  if (path.kind === "exact") return { case: "path", value: path.path };
  if (path.kind === "regex") return { case: "safeRegex", value: { regex: path.regex } };
  return path.path === "/" ? { case: "prefix", value: "/" } : { case: "pathSeparatedPrefix", value: path.path };
}

function methodMatcher(method: string): HeaderMatcher {
  return headerMatcher({ name: ":method", kind: "exact", value: method, invert: false });
}

function headerMatcher({ name, kind, value, invert }: HeaderMatch): HeaderMatcher {
  if (kind === "present") {
    const specifier = { case: "presentMatch", value: true } as const;
    return create(HeaderMatcherSchema, { name, headerMatchSpecifier: specifier, invertMatch: invert });
  }
  return create(HeaderMatcherSchema, {
    name,
    headerMatchSpecifier: { case: "stringMatch", value: stringMatcher(kind, value) },
    invertMatch: invert,
    // Otherwise a request without the header would match neither way round.
    treatMissingHeaderAsEmpty: invert,
  });
}

function stringMatcher(
  kind: Exclude<HeaderMatch["kind"], "present">,
  value: string,
): MessageInitShape<typeof StringMatcherSchema> {
  if (kind === "regex") return { matchPattern: { case: "safeRegex", value: { regex: value } } };
  return { matchPattern: { case: kind, value } };
}

function routeAction(state: State, rule: Rule): MessageInitShape<typeof RouteActionSchema> {
  return {
    // A service that does not exist is named all the same: its share is answered with 503 until it does.
    clusterSpecifier: destination(rule),
    timeout: duration(rule.timeoutMs),
    hashPolicy: hashPolicies(state, rule),
    ...(rule.retry && { retryPolicy: retryPolicy(rule.retry) }),
    ...(rule.rewrite.host !== undefined && {
      hostRewriteSpecifier: { case: "hostRewriteLiteral", value: rule.rewrite.host } as const,
    }),
  };
}

function destination({ to }: Rule): NonNullable<MessageInitShape<typeof RouteActionSchema>["clusterSpecifier"]> {
  const [first, ...others] = to.filter(({ weight }) => weight > 0);
  if (first !== undefined && others.length === 0) return { case: "cluster", value: first.service };
  const clusters = [first, ...others].flatMap((one) => (one ? [{ name: one.service, weight: one.weight }] : []));
  return { case: "weightedClusters", value: { clusters } };
}

/** The keys of all destinations, in their order: Envoy hashes a request before it draws the destination. */
function hashPolicies(state: State, { to }: Rule) {
  const keys = new Map<string, HashKey>();
  for (const { service } of to.filter(({ weight }) => weight > 0)) {
    for (const key of hashKeys(effectivePolicy(state, service).policy)) keys.set(JSON.stringify(key), key);
  }
  return [...keys.values()].map(hashPolicy);
}

function retryPolicy({
  attempts,
  on,
  perTryTimeoutMs,
}: NonNullable<Rule["retry"]>): MessageInitShape<typeof RetryPolicySchema> {
  return {
    retryOn: on.join(","),
    numRetries: attempts,
    ...(perTryTimeoutMs !== undefined && { perTryTimeout: duration(perTryTimeoutMs) }),
    // Another try goes to another backend where there is one.
    retryHostPredicate: [
      {
        name: "envoy.retry_host_predicates.previous_hosts",
        configType: { case: "typedConfig", value: pack(PreviousHostsPredicateSchema, {}) },
      },
    ],
    hostSelectionRetryMaxAttempts: 3n,
  };
}
