import { type IncomingMessage, request } from "node:http";
import { RE2JS } from "re2js";
import { type Target, targetText } from "../domain/backend.ts";
import { MAX_CHECKED_BYTES, type Probe } from "../domain/health-check.ts";
import {
  type AnswerHead,
  MAX_ANSWER_HEADER_BYTES,
  RawHeads,
  whyHeadersNotPassedOn,
  whyNotPassedOn,
} from "./answer-limits.ts";
import type { Attempt } from "./attempt.ts";

type HttpProbe = Extract<Probe, { kind: "http" }>;

/**
 * Sends one HTTP/1.1 request and judges the whole answer, but only the first `MAX_CHECKED_BYTES` of the body. Whatever proxies
 * pass on is read, even if it is not quite HTTP/1.1.
 */
export function probeHttp(target: Target, probe: HttpProbe, attempt: Attempt): void {
  const socket = attempt.open(probe.tls);
  let answer: IncomingMessage | undefined;
  const raw = new RawHeads();
  attempt.on(socket, "data", (bytes: Buffer) => {
    attempt.heard();
    if (answer === undefined) raw.add(bytes);
  });
  const outgoing = request({
    createConnection: () => socket,
    // Lines that end without CR, folded headers and the like: proxies accept them.
    insecureHTTPParser: true,
    maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
    method: probe.method,
    path: probe.path,
    setHost: false,
    headers: {
      host: probe.host || (target.kind === "pipe" ? "localhost" : targetText(target)),
      "user-agent": "fairlead-health",
      ...probe.headers,
      connection: "close",
    },
  });
  const isRefused = (head: AnswerHead): boolean => {
    const why = raw.takeOne() ? "an empty line stands before it" : whyNotPassedOn(head);
    if (why !== undefined) attempt.fail(refusedText(head, why));
    return why !== undefined;
  };
  // Listens before anything else can fail. What follows a whole answer belongs to no answer, and proxies ignore it.
  attempt.on(outgoing, "error", (error: Error) => {
    if (answer?.complete !== true) attempt.error(error);
  });
  attempt.on(outgoing, "response", (response: IncomingMessage) => {
    answer = response;
    const status = response.statusCode ?? 0;
    if (!probe.expectedStatuses.some(({ first, last }) => first <= status && status <= last)) {
      attempt.fail(`HTTP ${status}`);
    } else if (!isRefused(response)) readBody(response, probe, attempt);
  });
  // Answers such as 100 and 103, which proxies read but do not pass on.
  attempt.on(outgoing, "information", isRefused);
  attempt.on(outgoing, "upgrade", ({ statusCode }: IncomingMessage) => attempt.fail(`HTTP ${statusCode}`));
  outgoing.end();
}

function refusedText({ statusCode }: Pick<AnswerHead, "statusCode">, why: string): string {
  return `HTTP ${statusCode}, but proxies refuse the answer: ${why}`;
}

function readBody(response: IncomingMessage, probe: HttpProbe, attempt: Attempt): void {
  const { statusCode: status } = response;
  const conclude = (body: Buffer) => {
    if (!bodyMatches(body, probe)) attempt.fail(`HTTP ${status}, but the body does not match`);
    else if (response.headers["x-envoy-degraded"] !== undefined) attempt.degraded(`HTTP ${status}, degraded`);
    else attempt.pass(`HTTP ${status}`);
  };
  const chunks: Buffer[] = [];
  let bytes = 0;
  attempt.on(response, "data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_CHECKED_BYTES) conclude(Buffer.concat(chunks, MAX_CHECKED_BYTES));
  });
  attempt.on(response, "error", () => attempt.fail(`HTTP ${status}, but the body ends early`));
  attempt.on(response, "end", () => {
    const why = whyHeadersNotPassedOn(response.rawTrailers);
    if (why === undefined) conclude(Buffer.concat(chunks));
    else attempt.fail(refusedText(response, why));
  });
}

const patterns = new WeakMap<HttpProbe, RE2JS>();

function bodyMatches(body: Buffer, probe: HttpProbe): boolean {
  if (probe.expectedBody === "") return true;
  const pattern = patterns.get(probe) ?? RE2JS.compile(probe.expectedBody);
  patterns.set(probe, pattern);
  return pattern.matcher(body.toString("latin1")).find();
}
