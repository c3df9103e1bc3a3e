import { expect, test } from "vitest";
import { missingText, toldTypes } from "../../../src/fleet/told-node.ts";
import type { StreamHolding } from "../../../src/xds/protocol/stream-holding.ts";
import { typeHolding } from "../../support/holdings.ts";

const streamOf = (userAgentName: string, missing: readonly string[]): StreamHolding => ({
  streamId: "s",
  node: { id: "n", cluster: "c", userAgentName, userAgentVersion: "1" },
  peer: { address: "127.0.0.1:1" },
  variant: "sotw",
  group: "c",
  silent: undefined,
  duplicate: false,
  oldestPending: undefined,
  types: [typeHolding({ missing })],
});
const stateOf = (client: string, missing: readonly string[]) => toldTypes(streamOf(client, missing), {})[0]?.state;

test("a gRPC client that asks in vain has not simply acknowledged all; Envoy waits for what it asks for", () => {
  expect(stateOf("gRPC Go", [])).toBe("acked");
  expect(stateOf("gRPC Go", ["typo.example"])).toBe("missing");
  expect(stateOf("envoy", ["late"])).toBe("acked");
});

test("what is missing is told with what would be right", () => {
  const [type] = toldTypes(streamOf("gRPC Java", ["a", "b", "c", "d"]), {});
  expect(missingText(type ?? { shortName: "", missing: [] })).toBe(
    "its calls to a, b, c fail: no route on a listener of protocol GRPC of its fleet has that host",
  );
  expect(missingText({ shortName: "CDS", missing: ["shop"] })).toBe(
    "calls led to shop fail: there is no such service, or no route on a listener of protocol GRPC of its fleet leads to it",
  );
});
