import { checkAddresses } from "../../domain/address-in-use.ts";
import { DEFAULT_LISTENER, HTTP_LISTENER_TIMES, type Listener } from "../../domain/listener.ts";
import {
  Listener_Protocol,
  type Listener as ListenerMessage,
  ListenerSchema,
} from "../../gen/fairlead/admin/v1/listener_pb.ts";
import { factsOf } from "../facts.ts";
import { checkAddress, checkEnum, parseIdentity, type Report, readAddress, readDuration } from "../field-checks.ts";
import { identityFacts } from "../identity-facts.ts";
import { ADDRESS, nameOf } from "../text-forms.ts";
import type { KindEntry } from "./kind-entry.ts";

export const LISTENER = {
  message: ListenerSchema,
  facts: [
    factsOf(ListenerSchema, {
      ...identityFacts("listener"),
      fleet: { required: true, text: nameOf("fleet") },
      protocol: { otherwise: DEFAULT_LISTENER.protocol },
      address: { text: ADDRESS },
      idleTimeout: { time: HTTP_LISTENER_TIMES.idleTimeout },
      streamIdleTimeout: { time: HTTP_LISTENER_TIMES.streamIdleTimeout },
      requestHeadersTimeout: { time: HTTP_LISTENER_TIMES.requestHeadersTimeout },
      drainTimeout: { time: HTTP_LISTENER_TIMES.drainTimeout },
    }),
  ],
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
  const common = { ...parseIdentity(message), fleet: message.fleet };
  if (protocol === "GRPC") {
    reportUnused(message, report);
    return { ...common, protocol };
  }
  if (message.address === "") checkAddress(report, "address", "");
  const time = (field: keyof typeof HTTP_LISTENER_TIMES) =>
    readDuration(message[field], HTTP_LISTENER_TIMES[field].otherwiseMs);
  return {
    ...common,
    protocol,
    ...readAddress(message.address),
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
