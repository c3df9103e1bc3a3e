import { type IncomingMessage, request } from "node:http";
import { RE2JS } from "re2js";
import { type Target, targetText } from "../domain/backend.ts";
import { MAX_CHECKED_BYTES, type Probe } from "../domain/health-check.ts";
import type { Attempt } from "./attempt.ts";

type HttpProbe = Extract<Probe, { kind: "http" }>;

/** Sends one HTTP/1.1 request and judges the whole answer, of the body its first `MAX_CHECKED_BYTES`. */
export function probeHttp(target: Target, probe: HttpProbe, attempt: Attempt): void {
  const socket = attempt.open(probe.tls);
  attempt.on(socket, "data", attempt.heard);
  const outgoing = request({
    createConnection: () => socket,
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
  // Before anything else of it can fail.
  attempt.on(outgoing, "error", attempt.error);
  attempt.on(outgoing, "response", (response: IncomingMessage) => readAnswer(response, probe, attempt));
  outgoing.end();
}

function readAnswer(response: IncomingMessage, probe: HttpProbe, attempt: Attempt): void {
  const status = response.statusCode ?? 0;
  if (!probe.expectedStatuses.some(({ first, last }) => first <= status && status <= last)) {
    attempt.fail(`HTTP ${status}`);
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
