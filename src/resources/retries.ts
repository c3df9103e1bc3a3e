import { create } from "@bufbuild/protobuf";
import type { Profile } from "../domain/fleet-profile.ts";
import type { HeaderMatch, Retry, Rule } from "../domain/route.ts";
import { type RetryPolicy, RetryPolicySchema } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { PreviousHostsPredicateSchema } from "../gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts";
import { duration, pack } from "./message-parts.ts";

/** Methods whose requests may be retried even where they may have been processed (RFC 9110, "Idempotent Methods"). */
const IDEMPOTENT: readonly string[] = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

/** Conditions under which no backend can have processed the request. */
const UNPROCESSED: readonly string[] = ["connect-failure", "refused-stream"];

/** Harmless for any method: those from before the request was sent, and the statuses of gRPC, which has no method but POST. */
const OF_ANY_METHOD: readonly string[] = [
  ...UNPROCESSED,
  "reset-before-request",
  ...["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"],
];

/** Conditions that also cover a connection that was not made. */
const COVER_UNPROCESSED: readonly string[] = ["5xx", "gateway-error", "reset"];

/** Requests of one rule that are tried in the same way. */
export interface Tries {
  /** Matches `:method`; absent: all requests that are left. */
  readonly method: HeaderMatch | undefined;
  readonly retryPolicy: RetryPolicy | undefined;
}

/** How requests of a rule are tried, by method. Each request belongs to the first entry that has its method. */
export function triesOf(rule: Rule, profile: Profile): readonly Tries[] {
  const on = rule.retry === undefined ? [] : conditions(rule.retry, profile);
  const ofAny = retryConditions(rule, profile);
  const [idempotent, other] = [retryPolicy(rule, on, profile), retryPolicy(rule, ofAny, profile)];
  if (rule.methods.length > 0) {
    return rule.methods.map((method) => ({
      method: { ...METHOD, kind: "exact", value: method },
      retryPolicy: IDEMPOTENT.includes(method) ? idempotent : other,
    }));
  }
  const left = { method: undefined, retryPolicy: other };
  const isSame = on.length === ofAny.length && on.every((one) => ofAny.includes(one));
  if (isSame) return [left];
  return [{ method: { ...METHOD, kind: "regex", value: IDEMPOTENT.join("|") }, retryPolicy: idempotent }, left];
}

/** What calls are retried on, which are all POST, in Envoy's terms. */
export function retryConditions(rule: Rule, profile: Profile): readonly string[] {
  const on = rule.retry === undefined ? [] : conditions(rule.retry, profile);
  return profile.retriesUnsafe || rule.retry?.unsafe === true ? on : withoutHarm(on);
}

const METHOD = { name: ":method", invert: false } as const;

function conditions({ on }: Retry, profile: Profile): readonly string[] {
  return on.length > 0 ? on : profile.retryOn;
}

function withoutHarm(on: readonly string[]): readonly string[] {
  const covered = on.some((one) => COVER_UNPROCESSED.includes(one)) ? UNPROCESSED : [];
  return [...new Set([...on.filter((one) => OF_ANY_METHOD.includes(one)), ...covered])];
}

function retryPolicy(rule: Rule, on: readonly string[], profile: Profile): RetryPolicy | undefined {
  const perTryTimeoutMs = perTryTimeout(rule, profile);
  const limit = perTryTimeoutMs === undefined ? {} : { perTryTimeout: duration(perTryTimeoutMs) };
  if (rule.retry === undefined || on.length === 0) {
    return perTryTimeoutMs === undefined ? undefined : create(RetryPolicySchema, limit);
  }
  return create(RetryPolicySchema, {
    retryOn: on.join(","),
    numRetries: rule.retry.attempts,
    ...limit,
    // A retry goes to another backend where there is one.
    retryHostPredicate: [
      {
        name: "envoy.retry_host_predicates.previous_hosts",
        configType: { case: "typedConfig", value: pack(PreviousHostsPredicateSchema, {}) },
      },
    ],
    hostSelectionRetryMaxAttempts: 3n,
  });
}

/** Envoy lets an answer that began before the per-try timeout go on; a route's timeout cuts it. */
function perTryTimeout({ timeoutMs, retry }: Rule, { timeoutEnds }: Profile): number | undefined {
  if (timeoutEnds === "answer") return retry?.perTryTimeoutMs;
  const limits = [timeoutMs, retry?.perTryTimeoutMs ?? 0].filter((ms) => ms > 0);
  return limits.length === 0 ? undefined : Math.min(...limits);
}
