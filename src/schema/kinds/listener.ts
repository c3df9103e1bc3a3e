import { checkAddresses } from "../../domain/address-in-use.ts";
import { addressText } from "../../domain/backend.ts";
import { DEFAULT_LISTENER, HTTP_LISTENER_TIMES, type Listener } from "../../domain/listener.ts";
import {
  Listener_Protocol,
  type Listener as ListenerMessage,
  ListenerSchema,
} from "../../gen/fairlead/admin/v1/listener_pb.ts";
import { checkAddress, checkDuration, checkEnum, checkName, parseIdentity, type Report } from "../field-checks.ts";
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

const TIMES = Object.keys(HTTP_LISTENER_TIMES) as (keyof typeof HTTP_LISTENER_TIMES)[];

function parseListener(message: ListenerMessage, report: Report): Listener {
  const { protocol: otherwise } = DEFAULT_LISTENER;
  const protocol = checkEnum(report, "protocol", message.protocol, { values: Listener_Protocol, otherwise });
  message.fleet = checkName(report, "fleet", "fleet", message.fleet);
  const common = { ...parseIdentity(report, "listener", message), fleet: message.fleet };
  if (protocol === "GRPC") {
    reportUnused(message, report);
    return { ...common, protocol };
  }
  const address = checkAddress(report, "address", message.address);
  message.address = addressText(address);
  const time = (field: keyof typeof HTTP_LISTENER_TIMES) =>
    checkDuration(report, field, message[field], HTTP_LISTENER_TIMES[field]);
  return {
    ...common,
    protocol,
    ...address,
    idleTimeoutMs: time("idleTimeout"),
    streamIdleTimeoutMs: time("streamIdleTimeout"),
    requestHeadersTimeoutMs: time("requestHeadersTimeout"),
    drainTimeoutMs: time("drainTimeout"),
  };
}

/** What only a proxy that accepts connections could do. */
function reportUnused(message: ListenerMessage, report: Report): void {
  if (message.address !== "") {
    const why = "gRPC clients dial the hosts of its routes, such as xds:///shop.example, and nothing is opened";
    report("address", `must be left out for protocol GRPC: ${why}`);
  }
  for (const field of TIMES.filter((one) => message[one] !== undefined)) {
    report(field, "must be left out for protocol GRPC: only a proxy that accepts connections has it");
  }
}
