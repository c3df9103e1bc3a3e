import type { IncomingMessage } from "node:http";
import { CONTROL_CHARACTER } from "../domain/text-shape.ts";

/** The most bytes of all header lines of an answer together: proxies refuse more, too. */
export const MAX_ANSWER_HEADER_BYTES = 80 * 1024;
/** Envoy's `max_headers_count`. */
export const MAX_ANSWER_HEADERS = 100;

/** The head of an answer, or of one before it (100, 103). */
export type AnswerHead = Pick<IncomingMessage, "statusCode" | "statusMessage" | "rawHeaders">;

/**
 * Why proxies would answer 502 instead of passing on this answer, which Node has read; undefined for one that they accept.
 * An answer that Node itself cannot read is an error of its own.
 */
export function whyNotPassedOn({ statusCode = 0, statusMessage = "", rawHeaders }: AnswerHead): string | undefined {
  const count = rawHeaders.length / 2;
  if (count > MAX_ANSWER_HEADERS) return `it has ${count} headers, and at most ${MAX_ANSWER_HEADERS} are passed on`;
  if (CONTROL_CHARACTER.test(statusMessage)) return "its reason phrase has a control character";
  const fault = whyHeadersNotPassedOn(rawHeaders);
  if (fault !== undefined) return fault;
  const lengths = valuesOf(rawHeaders, "content-length");
  const codings = valuesOf(rawHeaders, "transfer-encoding");
  if (lengths.length > 0 && codings.length > 0) return "it has both a content-length and a transfer-encoding";
  if (codings.length > 1) return "it has more than one transfer-encoding";
  if (codings.some((coding) => coding.toLowerCase() !== "chunked")) return "its transfer-encoding is not `chunked`";
  if (statusCode !== 204 && statusCode >= 200) return undefined;
  if (codings.length > 0) return `a ${statusCode} has a transfer-encoding`;
  return lengths.some((length) => Number(length) > 0) ? `a ${statusCode} has a content-length` : undefined;
}

/** The same for headers or trailers alone. */
export function whyHeadersNotPassedOn(rawHeaders: readonly string[]): string | undefined {
  const at = rawHeaders.findIndex((text, i) => i % 2 === 1 && CONTROL_CHARACTER.test(text));
  return at < 0 ? undefined : `the header ${rawHeaders[at - 1]} has a control character`;
}

/** What comes before the body of an answer, as it was sent. */
export class RawHeads {
  #text = "";

  add(bytes: Buffer): void {
    if (this.#text.length < MAX_ANSWER_HEADER_BYTES) this.#text += bytes.toString("latin1");
  }

  /** Takes the next head. Returns whether an empty line precedes it, which Node skips and proxies refuse. */
  takeOne(): boolean {
    const text = this.#text;
    const end = /\n\r?\n/.exec(text);
    this.#text = end === null ? "" : text.slice(end.index + end[0].length);
    return /^[\r\n]/.test(text);
  }
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);
}
