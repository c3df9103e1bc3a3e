import type { HashKey, PolicySpec, SingleHashKey } from "./policy.ts";
import { DEFAULT_RULE, type HeaderMatch, type PathMatch, type Rule } from "./route.ts";
import type { Service } from "./service.ts";

/**
 * What programs with a gRPC library that speaks xDS, and so need no proxy, make of routes and policies. All of it is what every
 * library can do; rules that they cannot carry out are held for them, not sent without the part that they cannot do (law 19).
 */

/** `gRPC Node Pure JS`, `gRPC C-core linux`, `gRPC Go`, `gRPC Java`: what the libraries call themselves. */
export function isGrpcLibrary(userAgentName: string): boolean {
  return userAgentName.toLowerCase().startsWith("grpc");
}

/** Whether a client can dial a host of a route: it asks by name, so patterns are never asked for. */
export function isDialable(host: string): boolean {
  return !host.includes("*");
}

/** Names that gRPC keeps for itself or adds after a call was routed, and those that only a proxy adds. */
const NOT_MATCHED = /^(:|grpc-|host$|te$|user-agent$|x-envoy-|x-forwarded-(for|proto)$|x-request-id$)|-bin$/;

/** Conditions to retry on that every library knows; of anything else some know nothing. */
export const RETRIED: readonly string[] = [
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
];

/** The paths that meet a rule, as clients compare them: any of these. A prefix is one of whole segments, for proxies. */
export function callPaths(path: PathMatch): readonly PathMatch[] {
  if (path.kind !== "prefix" || path.path === "/") return [path];
  return [
    { kind: "exact", path: path.path },
    { kind: "prefix", path: `${path.path}/` },
  ];
}

/** Whether some call can meet a rule: all calls are POST. */
export function meetsCalls({ methods }: Pick<Rule, "methods">): boolean {
  return methods.length === 0 || methods.includes("POST");
}

/** Why clients cannot compare a header as it is asked for. */
function whyHeaderNotMatched({ name, kind, invert }: HeaderMatch): string | undefined {
  if (NOT_MATCHED.test(name)) return "calls do not have it when they are routed";
  if (invert && kind !== "present") return "for gRPC a call without the header never matches, inverted or not";
  return undefined;
}

/** Those of a rule's headers that clients compare as it asks. */
export function matchedHeaders({ headers }: Pick<Rule, "headers">): readonly HeaderMatch[] {
  return headers.filter((header) => whyHeaderNotMatched(header) === undefined);
}

/**
 * What of a rule clients cannot carry out, so that calls that it matches have to fail for them; undefined if nothing.
 *
 * @param serviceOf The service of a name, if there is one.
 */
export function whyHeldForGrpc(
  { headers, rewrite, to }: Rule,
  serviceOf: (name: string) => Pick<Service, "protocol"> | undefined,
): string | undefined {
  for (const part of ["prefix", "host"] as const) {
    if (rewrite[part] !== undefined) return `rewrite.${part}: gRPC clients rewrite nothing`;
  }
  for (const [index, header] of headers.entries()) {
    const why = whyHeaderNotMatched(header);
    if (why !== undefined) return `headers[${index}]: ${header.name} cannot be matched: ${why}`;
  }
  const http1 = to.find(({ service, weight }) => weight > 0 && serviceOf(service)?.protocol === "HTTP");
  if (http1 === undefined) return undefined;
  return `to: service ${http1.service} speaks HTTP/1.1, and gRPC needs HTTP/2: set its protocol to HTTP2`;
}

/** Limits of a rule's time that clients leave to the program's own deadline. */
export function leftToDeadlines(rule: Pick<Rule, "timeoutMs" | "retry">, timeoutEnds: "answer" | "head"): string[] {
  const own = timeoutEnds === "head" && rule.timeoutMs !== DEFAULT_RULE.timeoutMs && rule.timeoutMs > 0;
  return [...(own ? ["timeout"] : []), ...(rule.retry?.perTryTimeoutMs === undefined ? [] : ["retry.perTryTimeout"])];
}

/** How clients spread calls over a service's backends, where not all libraries know what the policy says. */
export function grpcAlgorithm(policy: Pick<PolicySpec, "algorithm" | "hashOn">): "ROUND_ROBIN" | "RING_HASH" {
  const hashes = policy.algorithm === "RING_HASH" || policy.algorithm === "MAGLEV";
  return hashes && policy.hashOn.some((key) => hashedHeaders(key).length > 0) ? "RING_HASH" : "ROUND_ROBIN";
}

/** Those parts of a key that clients hash by. */
export function hashedHeaders(key: HashKey): readonly Extract<SingleHashKey, { kind: "header" }>[] {
  return (key.kind === "all" ? key.keys : [key]).flatMap((one) =>
    one.kind === "header" && !NOT_MATCHED.test(one.name) ? [one] : [],
  );
}

/** What clients do otherwise than a policy says. */
export function policyDifferences(policy: Pick<PolicySpec, "algorithm" | "hashOn">): string[] {
  const used = grpcAlgorithm(policy);
  const { algorithm, hashOn } = policy;
  if (algorithm !== "RING_HASH" && algorithm !== "MAGLEV") {
    return algorithm === used ? [] : [`not all gRPC clients know ${algorithm}: they use ${used}`];
  }
  if (used === "ROUND_ROBIN") {
    return [`gRPC clients hash by headers only, and hashOn has none that they see: they use ${used}`];
  }
  const passed = hashOn.findIndex((key) => hashedHeaders(key).length < (key.kind === "all" ? key.keys.length : 1));
  return [
    ...(algorithm === used ? [] : [`gRPC clients do not know ${algorithm}: they use ${used}`]),
    ...(passed < 0 ? [] : [`hashOn[${passed}]: gRPC clients hash by headers only, and pass over the rest`]),
  ];
}
