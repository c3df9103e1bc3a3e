import { checkAddresses } from "../../domain/address-in-use.ts";
import { HTTP_LISTENER_TIMES, type Listener } from "../../domain/listener.ts";
import { type Listener as ListenerMessage, ListenerSchema } from "../../gen/fairlead/admin/v1/listener_pb.ts";
import { factsOf } from "../facts.ts";
import { parseIdentity, readAddress, readDuration } from "../field-checks.ts";
import { identityFacts } from "../identity-facts.ts";
import { ADDRESS, nameOf } from "../text-forms.ts";
import type { KindEntry } from "./kind-entry.ts";

export const LISTENER = {
  message: ListenerSchema,
  facts: [
    factsOf(ListenerSchema, {
      ...identityFacts("listener"),
      fleet: { required: true, text: nameOf("fleet") },
      address: { required: true, text: ADDRESS },
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

function parseListener(message: ListenerMessage): Listener {
  const time = (field: keyof typeof HTTP_LISTENER_TIMES) =>
    readDuration(message[field], HTTP_LISTENER_TIMES[field].otherwiseMs);
  return {
    ...parseIdentity(message),
    protocol: "HTTP",
    fleet: message.fleet,
    ...readAddress(message.address),
    idleTimeoutMs: time("idleTimeout"),
    streamIdleTimeoutMs: time("streamIdleTimeout"),
    requestHeadersTimeoutMs: time("requestHeadersTimeout"),
    drainTimeoutMs: time("drainTimeout"),
  };
}
