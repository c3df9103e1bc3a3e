import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Target, targetText } from "../domain/backend.ts";
import { authorityUrl, MAX_CHECKED_BYTES, type Probe } from "../domain/health-check.ts";
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatusSchema,
  HealthCheckResponseSchema,
} from "../gen/grpc/health/v1/health_pb.ts";
import type { Attempt } from "./attempt.ts";
import { readyEvent } from "./connect.ts";

type GrpcProbe = Extract<Probe, { kind: "grpc" }>;

/** The length-prefixed message of gRPC over HTTP/2: one byte of flags and four of length. */
const PREFIX_BYTES = 5;

/**
 * Calls `grpc.health.v1.Health/Check`.
 *
 * @see gRPC over HTTP2, "Requests" and "Responses"; GRPC Health Checking Protocol
 */
export function probeGrpc(target: Target, probe: GrpcProbe, attempt: Attempt): void {
  const authority = probe.authority || (target.kind === "pipe" ? "localhost" : targetText(target));
  const url = authorityUrl(probe.tls === undefined ? "http" : "https", authority);
  if (url === null) {
    attempt.fail(`the check's authority "${authority}" is not a host with or without a port`);
    return;
  }
  const socket = attempt.open(probe.tls, ["h2"]);
  attempt.on(socket, "close", () => attempt.fail("connection closed without an answer"));
  // A session on a socket that never opens would keep its own state of what went wrong.
  attempt.on(socket, readyEvent(probe.tls), () => call(socket, { url, authority, service: probe.service }, attempt));
}

function call(socket: Socket, to: { url: URL; authority: string; service: string }, attempt: Attempt): void {
  const session = connectHttp2(to.url, { createConnection: () => socket });
  attempt.on(session, "error", attempt.error);
  attempt.on(session, "remoteSettings", attempt.heard);
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    // Left to itself, the session adds the scheme's port.
    ":authority": to.authority,
    "content-type": "application/grpc",
    te: "trailers",
    "user-agent": "fairlead-health",
  });
  let body = Buffer.alloc(0);
  let status: string | undefined;
  const readStatus = (headers: IncomingHttpHeaders) => {
    const value = headers["grpc-status"];
    if (typeof value === "string") status = value;
  };
  attempt.on(stream, "error", attempt.error);
  attempt.on(stream, "response", (headers: IncomingHttpHeaders & { ":status"?: number }) => {
    attempt.heard();
    const http = headers[":status"];
    if (http === 200) readStatus(headers);
    else attempt.fail(`HTTP ${http}`);
  });
  attempt.on(stream, "data", (chunk: Buffer) => {
    body = Buffer.concat([body, chunk]);
    if (body.length > MAX_CHECKED_BYTES) attempt.fail("the answer is not a valid health response");
  });
  attempt.on(stream, "trailers", readStatus);
  attempt.on(stream, "end", () => conclude(status, body, attempt));
  stream.end(encodeRequest(to.service));
}

function encodeRequest(service: string): Buffer {
  const message = toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function conclude(status: string | undefined, body: Buffer, attempt: Attempt): void {
  if (status === undefined) attempt.fail("the answer has no gRPC status");
  else if (status !== "0") attempt.fail(`gRPC status ${status}`);
  else {
    const serving = readServingStatus(body);
    if (serving === "SERVING") attempt.pass("gRPC SERVING");
    else attempt.fail(serving === undefined ? "the answer is not a valid health response" : `gRPC ${serving}`);
  }
}

function readServingStatus(body: Buffer): string | undefined {
  if (body.length < PREFIX_BYTES || body[0] !== 0) return undefined;
  const message = body.subarray(PREFIX_BYTES, PREFIX_BYTES + body.readUInt32BE(1));
  try {
    const { status } = fromBinary(HealthCheckResponseSchema, message);
    return HealthCheckResponse_ServingStatusSchema.value[status]?.name ?? String(status);
  } catch {
    return undefined;
  }
}
