import { targetText } from "../domain/backend.ts";
import {
  MAX_IDLE_TIMEOUT_MS,
  MAX_LISTENER_DRAIN_TIMEOUT_MS,
  MAX_REQUEST_HEADERS_TIMEOUT_MS,
  MAX_STREAM_IDLE_TIMEOUT_MS,
  MIN_IDLE_TIMEOUT_MS,
  MIN_REQUEST_HEADERS_TIMEOUT_MS,
} from "../domain/limits.ts";
import { DEFAULT_HTTP_LISTENER, type Listener } from "../domain/listener.ts";
import type { Listener as ListenerMessage } from "../gen/fairlead/admin/v1/listener_pb.ts";
import { checkAddress, checkDuration, checkName, parseIdentity, type Report } from "./field-checks.ts";

export function parseListener(message: ListenerMessage, report: Report): Listener {
  const address = checkAddress(report, "address", message.address);
  message.address = targetText({ kind: "address", ...address });
  message.fleet = checkName(report, "fleet", "fleet", message.fleet);
  return {
    ...parseIdentity(report, "listener", message),
    protocol: "HTTP",
    fleet: message.fleet,
    ...address,
    idleTimeoutMs: checkDuration(report, "idleTimeout", message.idleTimeout, {
      minMs: MIN_IDLE_TIMEOUT_MS,
      maxMs: MAX_IDLE_TIMEOUT_MS,
      otherwiseMs: DEFAULT_HTTP_LISTENER.idleTimeoutMs,
    }),
    streamIdleTimeoutMs: checkDuration(report, "streamIdleTimeout", message.streamIdleTimeout, {
      minMs: 0,
      maxMs: MAX_STREAM_IDLE_TIMEOUT_MS,
      otherwiseMs: DEFAULT_HTTP_LISTENER.streamIdleTimeoutMs,
    }),
    requestHeadersTimeoutMs: checkDuration(report, "requestHeadersTimeout", message.requestHeadersTimeout, {
      minMs: MIN_REQUEST_HEADERS_TIMEOUT_MS,
      maxMs: MAX_REQUEST_HEADERS_TIMEOUT_MS,
      otherwiseMs: DEFAULT_HTTP_LISTENER.requestHeadersTimeoutMs,
    }),
    drainTimeoutMs: checkDuration(report, "drainTimeout", message.drainTimeout, {
      minMs: 0,
      maxMs: MAX_LISTENER_DRAIN_TIMEOUT_MS,
      otherwiseMs: DEFAULT_HTTP_LISTENER.drainTimeoutMs,
    }),
  };
}
