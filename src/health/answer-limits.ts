import type { IncomingMessage } from "node:http";
import { CONTROL_CHARACTER } from "../domain/text-shape.ts";

/** Of all header lines of an answer together: more is refused by proxies, too. */
export const MAX_ANSWER_HEADER_BYTES = 80 * 1024;
/** Envoy's `max_headers_count`. */
export const MAX_ANSWER_HEADERS = 100;

/**
 * Why proxies would answer 502 instead of passing this answer on, where Node reads it; nothing for one that they take.
 * What Node itself cannot read is an error of its own.
 */
export function whyNotPassedOn({ statusCode, rawHeaders }: IncomingMessage): string | undefined {
  const count = rawHeaders.length / 2;
  if (count > MAX_ANSWER_HEADERS) return `it has ${count} headers, at most ${MAX_ANSWER_HEADERS} are passed on`;
  const seen = new Map<string, string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = "", value = ""] = rawHeaders.slice(i, i + 2);
    if (CONTROL_CHARACTER.test(value)) return `the header ${name} has a control character`;
    seen.set(name.toLowerCase(), value);
  }
  const length = seen.get("content-length");
  const coding = seen.get("transfer-encoding");
  if (length !== undefined && coding !== undefined) return "it has both a content-length and a transfer-encoding";
  if (coding !== undefined && coding.toLowerCase() !== "chunked") return "its transfer-encoding is not `chunked`";
  if (statusCode === 204 && length !== undefined && Number(length) > 0) return "a 204 has a content-length";
  return undefined;
}
