import { checkAddresses } from "../../domain/address-in-use.ts";
import { addressText } from "../../domain/backend.ts";
import { HTTP_LISTENER_TIMES, type Listener } from "../../domain/listener.ts";
import { type Listener as ListenerMessage, ListenerSchema } from "../../gen/fairlead/admin/v1/listener_pb.ts";
import { checkAddress, checkDuration, checkName, parseIdentity, type Report } from "../field-checks.ts";
import type { KindEntry } from "./kind-entry.ts";

export const LISTENER = {
  message: ListenerSchema,
  outputOnly: ["meta", "conditions"],
  parse: parseListener,
  isApplied: true,
  hasHistory: true,
  gives: "listener",
  lastOf: "fleet",
  check: checkAddresses,
} as const satisfies KindEntry<"listener", ListenerMessage>;

function parseListener(message: ListenerMessage, report: Report): Listener {
  const address = checkAddress(report, "address", message.address);
  message.address = addressText(address);
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
