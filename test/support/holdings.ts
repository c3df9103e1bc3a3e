import type { ResourceHolding, StandingRefusal } from "../../src/xds/protocol/resource-holding.ts";
import type { TypeHolding } from "../../src/xds/protocol/stream-holding.ts";

/** A resource that was sent and accepted. */
export function resourceHolding(more: Partial<ResourceHolding> & Pick<ResourceHolding, "name">): ResourceHolding {
  const rest = { inFlight: false, unknown: false, refused: undefined, held: undefined, waitsFor: undefined };
  return { sent: "1", acked: "1", ...rest, ...more };
}

export function standingRefusal(more: Partial<StandingRefusal>): StandingRefusal {
  return { version: "2", code: 13, message: "", nonce: "1", at: 0, publication: undefined, ...more };
}

/** A type of which the client has one resource, which is not described. */
export function typeHolding(more: Partial<TypeHolding>): TypeHolding {
  return {
    typeUrl: "example.Listener",
    shortName: "LDS",
    wildcard: true,
    subscribed: 0,
    acks: 0,
    nacks: 0,
    inFlight: [],
    isDue: false,
    missing: [],
    known: 1,
    refused: [],
    held: [],
    blocked: [],
    resources: [],
    resource: () => undefined,
    body: () => undefined,
    content: () => undefined,
    ...more,
  };
}
