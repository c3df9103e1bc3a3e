import { ControlPlaneError } from "../domain/errors.ts";
import type { Observation } from "../domain/health-verdict.ts";
import { MAX_ANSWER_HEADER_BYTES } from "./answer-limits.ts";

type Failure = Pick<Observation, "reason" | "ambiguous">;

/** What the target did, by the code of Node's error. */
const FROM_THE_TARGET: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection reset",
  ENOENT: "no such socket",
  CERT_HAS_EXPIRED: "certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate is self-signed",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate is not trusted",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate is for another name",
};

/** What may be the network's or the observer's fault. */
const AMBIGUOUS: Readonly<Record<string, string>> = {
  EHOSTUNREACH: "host unreachable",
  EHOSTDOWN: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENETDOWN: "network unreachable",
  ETIMEDOUT: "network timeout",
};

/** This machine could not even try. */
const OURS: readonly string[] = ["EMFILE", "ENFILE", "EADDRNOTAVAIL", "ENOBUFS", "ENOMEM", "EPERM", "EACCES"];

/** Reads the error of a socket or a protocol; undefined if it says nothing about the target. */
export function failureOf(error: Error & { code?: unknown; reason?: unknown }): Failure | undefined {
  // The door's own error: the plane does not connect there.
  if (error instanceof ControlPlaneError) return { reason: error.message, ambiguous: false };
  const code = typeof error.code === "string" ? error.code : "";
  if (OURS.includes(code)) return undefined;
  const ambiguous = AMBIGUOUS[code];
  if (ambiguous !== undefined) return { reason: ambiguous, ambiguous: true };
  // Node's HTTP client calls it a reset when the other side closes in good order, but without an answer.
  if (error.message === "socket hang up") return { reason: "connection closed without an answer", ambiguous: false };
  if (code.startsWith("HPE_")) return { reason: unreadable(code, error.reason), ambiguous: false };
  if (code.startsWith("ERR_HTTP2_")) return { reason: "the answer is not HTTP/2", ambiguous: false };
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    const detail = typeof error.reason === "string" ? `: ${error.reason}` : "";
    return { reason: `TLS handshake failed${detail}`, ambiguous: false };
  }
  return { reason: FROM_THE_TARGET[code] ?? (code || error.message), ambiguous: false };
}

/** The reason for an answer that Node's HTTP parser refuses. */
function unreadable(code: string, reason: unknown): string {
  // Not even its first word is HTTP/1.1.
  if (code === "HPE_INVALID_CONSTANT") return "the answer is not HTTP/1.1";
  if (code === "HPE_HEADER_OVERFLOW") {
    return `the headers of the answer exceed ${MAX_ANSWER_HEADER_BYTES / 1024} KiB, which proxies refuse as well`;
  }
  return typeof reason === "string" ? `the answer is not HTTP/1.1: ${reason}` : "the answer is not HTTP/1.1";
}
