import type { Name } from "./name.ts";
import type { HashKey, PolicySpec, SingleHashKey } from "./policy.ts";
import type { Rule } from "./route.ts";
import { effectivePolicy } from "./routing-state.ts";
import type { State } from "./state.ts";

/** Headers that every request has when it is hashed. */
const IN_EVERY_REQUEST: readonly string[] = [
  ...[":authority", ":method", ":path", ":scheme", "host"],
  ...["x-forwarded-for", "x-forwarded-proto", "x-request-id"],
];

/** Why every request has a key, so no key behind it is ever looked at; undefined for one that may be missing. */
function whyAlwaysThere(key: SingleHashKey): string | undefined {
  switch (key.kind) {
    case "sourceIp":
      return "every client has an address";
    case "cookie":
      return key.ttlMs === undefined ? undefined : "proxies make a cookie with a `ttl` for clients that have none";
    case "header":
      return IN_EVERY_REQUEST.includes(key.name) ? `every request has \`${key.name}\`` : undefined;
    case "queryParameter":
      return undefined;
  }
}

/** The first key behind which no other key counts; undefined where it is the last, or there is none. */
export function hidingKey(keys: readonly HashKey[]): { readonly index: number; readonly why: string } | undefined {
  const reasons = keys.map((key) => (key.kind === "all" ? key.keys : [key]).map(whyAlwaysThere).find(Boolean));
  const index = reasons.slice(0, -1).findIndex(Boolean);
  const why = reasons[index];
  return why === undefined ? undefined : { index, why };
}

/** What requests to a service are hashed by; empty for an algorithm that does not hash. */
function hashKeys({ algorithm, hashOn }: PolicySpec): readonly HashKey[] {
  return algorithm === "RING_HASH" || algorithm === "MAGLEV" ? hashOn : [];
}

/** A key of a rule, with the first of its services that has it. */
export interface RuleHashKey {
  readonly key: HashKey;
  readonly service: Name;
}

/** The keys of all destinations, in their order: Envoy hashes a request before it picks the destination. */
export function ruleHashKeys(state: State, { to }: Pick<Rule, "to">): readonly RuleHashKey[] {
  const keys = new Map<string, RuleHashKey>();
  for (const { service } of to.filter(({ weight }) => weight > 0)) {
    for (const key of hashKeys(effectivePolicy(state, service).policy)) {
      const text = JSON.stringify(key);
      if (!keys.has(text)) keys.set(text, { key, service });
    }
  }
  return [...keys.values()];
}

/** Why the keys of some services in a rule never count behind those of another. */
export function whyRuleKeysHidden(state: State, rule: Pick<Rule, "to">): string | undefined {
  const keys = ruleHashKeys(state, rule);
  const hiding = hidingKey(keys.map(({ key }) => key));
  if (hiding === undefined) return undefined;
  const by = keys[hiding.index]?.service;
  const hidden = new Set(keys.slice(hiding.index + 1).map(({ service }) => service));
  if (by !== undefined) hidden.delete(by);
  if (hidden.size === 0) return undefined;
  return `what ${[...hidden].join(", ")} is hashed by never counts behind the keys of ${by}: ${hiding.why}; hash the services of one rule alike`;
}
