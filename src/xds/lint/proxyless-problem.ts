import type { ResourceKey } from "../protocol/resource.ts";

/**
 * What a proxyless gRPC client does with a resource that has the problem:
 * `refused`: at least one library answers with a NACK and keeps what it had;
 * `unavailable`: it is accepted, and calls fail;
 * `ignored`: it is accepted, and what it asks for is left out, so that calls go where they should not;
 * `crash`: a library in use ends its process, or no call of its channel succeeds again;
 * `partial`: some libraries take it, others refuse it.
 */
export type ProxylessEffect = "refused" | "unavailable" | "ignored" | "crash" | "partial";

/** One reason why a resource is unsuitable for a proxyless gRPC client. */
export type ProxylessProblem = {
  readonly resource: ResourceKey;
  /** Where in the resource, in the field names of the protos, for example `endpoints[0].locality`. */
  readonly field: string;
  /** Stable and meant for comparison, unlike `explanation`. */
  readonly code: string;
  readonly effect: ProxylessEffect;
  /** One sentence for people. */
  readonly explanation: string;
};

/** A problem before it is known which resource has it. */
export type Finding = Omit<ProxylessProblem, "resource">;

export const UINT32_MAX = 0xffff_ffff;

/** The same findings, one field deeper. */
export function within(field: string, findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => ({ ...finding, field: `${field}.${finding.field}` }));
}

export function refused(field: string, code: string, explanation: string): Finding {
  return { field, code, effect: "refused", explanation };
}

export function unavailable(field: string, code: string, explanation: string): Finding {
  return { field, code, effect: "unavailable", explanation };
}
