import { expect, it } from "vitest";
import { progressOnItsWay } from "../../../src/fleet/stream-progress.ts";
import type { StreamHolding, TypeHolding } from "../../../src/xds/protocol/stream-holding.ts";
import { resourceHolding, standingRefusal, typeHolding as type } from "../../support/holdings.ts";

const web = resourceHolding({ name: "web", sent: "2", unknown: true });
const refused = { ...web, refused: standingRefusal({ message: "cannot bind" }) };
const inFlight = [{ nonce: "1", sentAt: 0, resources: 1 }];
const stateOf = (types: readonly TypeHolding[], typeUrl?: string) => {
  const status: StreamHolding = {
    streamId: "1",
    node: { id: "edge-1", cluster: "edge", userAgentName: "envoy", userAgentVersion: "1.40.0" },
    peer: { address: "127.0.0.1:1" },
    variant: "delta",
    group: "edge",
    silent: undefined,
    duplicate: false,
    oldestPending: undefined,
    types,
  };
  return progressOnItsWay(status, typeUrl);
};

it("takes what is sent again for acknowledged once nothing of it is due, in flight, held or refused", () => {
  expect(stateOf([type({})])).toEqual({ state: "done" });
  expect(stateOf([type({ isDue: true })])).toMatchObject({ state: "sent" });
  expect(stateOf([type({ inFlight })])).toMatchObject({ state: "sent" });
  expect(stateOf([type({ held: [{ ...web, held: "wave_2" }] })])).toEqual({ state: "held", message: "web: wave_2" });
});

it("judges a refusal only when the answer to what is sent again is there, and tells the proxy's words", () => {
  expect(stateOf([type({ refused: [refused], inFlight })])).toMatchObject({ state: "sent" });
  expect(stateOf([type({ refused: [refused] })])).toEqual({ state: "refused", message: "Listener web: cannot bind" });
});

it("looks at the types that were asked for only", () => {
  const types = [type({ refused: [refused] }), type({ typeUrl: "example.Cluster", shortName: "CDS" })];
  expect(stateOf(types, "example.Cluster")).toEqual({ state: "done" });
  expect(stateOf(types, "example.Listener")).toMatchObject({ state: "refused" });
});
