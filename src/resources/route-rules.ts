import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Profile } from "../domain/fleet-profile.ts";
import { ruleHashKeys } from "../domain/hash-keys.ts";
import type { HeaderMatch, PathMatch, Rule } from "../domain/route.ts";
import type { PlacedRule } from "../domain/rule-order.ts";
import type { State } from "../domain/state.ts";
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type Route,
  type RouteActionSchema,
  type RouteMatchSchema,
  RouteSchema,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";
import type { StringMatcherSchema } from "../gen/envoy/type/matcher/v3/string_pb.ts";
import { hashPolicies } from "./load-balancing.ts";
import { duration } from "./message-parts.ts";
import { triesOf } from "./retries.ts";

/** How one path is routed: what Envoy matches, and what it replaces that with. */
interface Leg {
  readonly path: NonNullable<MessageInitShape<typeof RouteMatchSchema>["pathSpecifier"]>;
  readonly prefixRewrite: string;
}

/** Envoy's routes for one rule: one for each method or way of trying, or two where a prefix is rewritten to the root. */
export function deriveRule(state: State, { route, rule }: PlacedRule, profile: Profile): Route[] {
  const headers = rule.headers.map(headerMatcher);
  const action = routeAction(state, rule, profile);
  return legs(rule).flatMap(({ path, prefixRewrite }) =>
    triesOf(rule, profile).map(({ method, retryPolicy }) =>
      create(RouteSchema, {
        name: route.name,
        match: { pathSpecifier: path, headers: method ? [headerMatcher(method), ...headers] : headers },
        action: { case: "route", value: { ...action, prefixRewrite, ...(retryPolicy && { retryPolicy }) } },
      }),
    ),
  );
}

function legs({ path, rewrite }: Rule): readonly Leg[] {
  if (rewrite.prefix === undefined || path.kind !== "prefix") {
    return [{ path: pathSpecifier(path), prefixRewrite: rewrite.prefix ?? "" }];
  }
  const target = rewrite.prefix.replace(/(.)\/$/, "$1");
  // The prefix `/` ends with the slash that any other prefix leaves in place.
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

function routeAction(state: State, rule: Rule, { timeoutEnds }: Profile): MessageInitShape<typeof RouteActionSchema> {
  return {
    // A service that does not exist is named all the same: its share is answered with 503 until it exists.
    clusterSpecifier: destination(rule),
    ...(timeoutEnds === "answer"
      ? { timeout: duration(rule.timeoutMs) }
      : // Each try has the timeout. A gRPC client's own timeout counts, unchanged.
        { timeout: duration(0), maxStreamDuration: { grpcTimeoutHeaderMax: duration(0) } }),
    hashPolicy: ruleHashKeys(state, rule).flatMap(({ key }) => hashPolicies(key)),
    ...(rule.rewrite.host !== undefined && {
      hostRewriteSpecifier: { case: "hostRewriteLiteral", value: rule.rewrite.host } as const,
    }),
  };
}

/** The services that a rule leads to, by weight. */
export function destination({ to }: Rule): NonNullable<MessageInitShape<typeof RouteActionSchema>["clusterSpecifier"]> {
  const [first, ...others] = to.filter(({ weight }) => weight > 0);
  if (first !== undefined && others.length === 0) return { case: "cluster", value: first.service };
  const clusters = [first, ...others].flatMap((one) => (one ? [{ name: one.service, weight: one.weight }] : []));
  return { case: "weightedClusters", value: { clusters } };
}
