import { type IncomingMessage, request } from "node:http";
import { RE2JS } from "re2js";
import { type Target, targetText } from "../domain/backend.ts";
import { MAX_CHECKED_BYTES, type Probe } from "../domain/health-check.ts";
import { MAX_ANSWER_HEADER_BYTES, whyNotPassedOn } from "./answer-limits.ts";
import type { Attempt } from "./attempt.ts";

type HttpProbe = Extract<Probe, { kind: "http" }>;

/**
 * Sends one HTTP/1.1 request and judges the whole answer, of the body its first `MAX_CHECKED_BYTES`. What proxies pass on is
 * read, also where it is not quite HTTP/1.1.
 */
export function probeHttp(target: Target, probe: HttpProbe, attempt: Attempt): void {
  const socket = attempt.open(probe.tls);
  attempt.on(socket, "data", attempt.heard);
  const outgoing = request({
    createConnection: () => socket,
    // Lines that end without CR, folded headers and the like: proxies take them.
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
  let answer: IncomingMessage | undefined;
  // Before anything else of it can fail. What follows a whole answer belongs to no answer, and proxies pass it over.
  attempt.on(outgoing, "error", (error: Error) => {
    if (answer?.complete !== true) attempt.error(error);
  });
  attempt.on(outgoing, "response", (response: IncomingMessage) => {
    answer = response;
    readAnswer(response, probe, attempt);
  });
  attempt.on(outgoing, "upgrade", ({ statusCode }: IncomingMessage) => attempt.fail(`HTTP ${statusCode}`));
  outgoing.end();
}

function readAnswer(response: IncomingMessage, probe: HttpProbe, attempt: Attempt): void {
  const status = response.statusCode ?? 0;
  if (!probe.expectedStatuses.some(({ first, last }) => first <= status && status <= last)) {
    attempt.fail(`HTTP ${status}`);
    return;
  }
  const refusal = whyNotPassedOn(response);
  if (refusal !== undefined) {
    attempt.fail(`HTTP ${status}, but proxies refuse the answer: ${refusal}`);
    return;
  }
  const conclude = (body: Buffer) => {
    if (!bodyMatches(body, probe.expectedBody)) attempt.fail(`HTTP ${status}, but the body does not match`);
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
  attempt.on(response, "error", () => attempt.fail(`HTTP ${status}, but the body breaks off`));
  attempt.on(response, "end", () => conclude(Buffer.concat(chunks)));
}

const patterns = new Map<string, RE2JS>();

function bodyMatches(body: Buffer, pattern: string): boolean {
  if (pattern === "") return true;
  let regex = patterns.get(pattern);
  if (regex === undefined) {
    regex = RE2JS.compile(pattern);
    // As many as there are services, in practice; a bound all the same.
    if (patterns.size >= 10_000) patterns.clear();
    patterns.set(pattern, regex);
  }
  return regex.matcher(body.toString("latin1")).find();
}
