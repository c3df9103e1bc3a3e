import { targetText } from "../domain/backend.ts";
import { HTTP_LISTENER_TIMES, type Listener } from "../domain/listener.ts";
import type { Listener as ListenerMessage } from "../gen/fairlead/admin/v1/listener_pb.ts";
import { checkAddress, checkDuration, checkName, parseIdentity, type Report } from "./field-checks.ts";

export function parseListener(message: ListenerMessage, report: Report): Listener {
  const address = checkAddress(report, "address", message.address);
  message.address = targetText({ kind: "address", ...address });
  message.fleet = checkName(report, "fleet", "fleet", message.fleet);
  const time = (field: keyof typeof HTTP_LISTENER_TIMES) =>
    checkDuration(report, field, message[field], HTTP_LISTENER_TIMES[field]);
  return {
    ...parseIdentity(report, "listener", message),
    protocol: "HTTP",
    fleet: message.fleet,
    ...address,
    idleTimeoutMs: time("idleTimeout"),
    streamIdleTimeoutMs: time("streamIdleTimeout"),
    requestHeadersTimeoutMs: time("requestHeadersTimeout"),
    drainTimeoutMs: time("drainTimeout"),
  };
}
