import { targetText } from "../domain/backend.ts";
import {
  MAX_IDLE_TIMEOUT_MS,
  MAX_LISTENER_DRAIN_TIMEOUT_MS,
  MAX_REQUEST_HEADERS_TIMEOUT_MS,
  MAX_STREAM_IDLE_TIMEOUT_MS,
  MIN_IDLE_TIMEOUT_MS,
  MIN_REQUEST_HEADERS_TIMEOUT_MS,
} from "../domain/limits.ts";
import type { Listener } from "../domain/listener.ts";
import type { Listener as ListenerMessage } from "../gen/fairlead/admin/v1/listener_pb.ts";
import { checkAddress, checkDuration, checkName, parseIdentity, type Report } from "./field-checks.ts";

export function parseListener(message: ListenerMessage, report: Report): Listener {
  const address = checkAddress(report, "address", message.address);
  message.address = targetText({ kind: "address", ...address });
  message.fleet = checkName(report, "fleet", "fleet", message.fleet);
  return {
    ...parseIdentity(report, "listener", message),
    fleet: message.fleet,
    ...address,
    idleTimeoutMs: checkDuration(report, "idleTimeout", message.idleTimeout, {
      minMs: MIN_IDLE_TIMEOUT_MS,
      maxMs: MAX_IDLE_TIMEOUT_MS,
      otherwiseMs: 3_600_000,
    }),
    streamIdleTimeoutMs: checkDuration(report, "streamIdleTimeout", message.streamIdleTimeout, {
      minMs: 0,
      maxMs: MAX_STREAM_IDLE_TIMEOUT_MS,
      otherwiseMs: 300_000,
    }),
    requestHeadersTimeoutMs: checkDuration(report, "requestHeadersTimeout", message.requestHeadersTimeout, {
      minMs: MIN_REQUEST_HEADERS_TIMEOUT_MS,
      maxMs: MAX_REQUEST_HEADERS_TIMEOUT_MS,
      otherwiseMs: 30_000,
    }),
    drainTimeoutMs: checkDuration(report, "drainTimeout", message.drainTimeout, {
      minMs: 0,
      maxMs: MAX_LISTENER_DRAIN_TIMEOUT_MS,
      otherwiseMs: 5000,
    }),
  };
}
