import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FIRST_PROFILE, UNIT_WEIGHTS_IMPLIED } from "../../../src/domain/encoding-profile.ts";
import { routingState } from "../../../src/domain/routing-state.ts";
import { ClusterLoadAssignmentSchema } from "../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { deriveEndpoints } from "../../../src/resources/endpoints.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const backends = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, i) => ({
    kind: "Backend",
    name: `shop/b${i}`,
    address: `10.0.${i >> 8}.${i & 255}:80`,
    ...more,
  }));
const endpointsOf = (manifests: Parameters<typeof objectsOf>[0], profile = FIRST_PROFILE) =>
  deriveEndpoints(routingState(stateOf(objectsOf(manifests)), "shop"), profile);

test("the composed bytes are those of protobuf's own encoder", () => {
  const { body } = endpointsOf([
    ...backends(3, { metadata: { b: "2", a: "1" }, locality: { region: "eu", zone: "z" }, priority: 4 }),
    { kind: "Backend", name: "shop/pipe", pipe: "/run/shop.sock", weight: 7, state: "DRAINING" },
  ]);
  expect(toBinary(ClusterLoadAssignmentSchema, fromBinary(ClusterLoadAssignmentSchema, body))).toEqual(body);
});

test("a service without backends has an empty set under its name", () => {
  const { body } = endpointsOf([]);
  expect(fromBinary(ClusterLoadAssignmentSchema, body)).toMatchObject({ clusterName: "shop", endpoints: [] });
});

test("weights are scaled down together where their sum is more than Envoy takes", () => {
  const { body } = endpointsOf([
    ...backends(5000, { weight: 1_000_000 }),
    { kind: "Backend", name: "shop/x", address: "10.9.0.1:80" },
  ]);
  const [group] = fromBinary(ClusterLoadAssignmentSchema, body).endpoints;
  const weights = group?.lbEndpoints.map((endpoint) => endpoint.loadBalancingWeight ?? 0) ?? [];
  expect(group?.loadBalancingWeight).toBeLessThanOrEqual(4_294_967_295);
  expect(new Set(weights)).toEqual(new Set([500_000, 1]));
});

test("a change of one backend changes the version, the same again does not", () => {
  const before = endpointsOf(backends(3));
  expect(endpointsOf(backends(3)).version).toBe(before.version);
  expect(endpointsOf(backends(3, { weight: 2 })).version).not.toBe(before.version);
});

test("encoding profile 2 leaves out weights of 1, and nothing else differs", () => {
  const given = [...backends(3), { kind: "Backend", name: "shop/x", address: "10.9.0.1:80", weight: 7 }];
  const [first, second] = [FIRST_PROFILE, UNIT_WEIGHTS_IMPLIED].map((profile) => endpointsOf(given, profile).body);
  const [before, after] = [first, second].map((body) =>
    fromBinary(ClusterLoadAssignmentSchema, body ?? new Uint8Array()),
  );
  expect((first?.length ?? 0) - (second?.length ?? 0)).toBe(3 * 4);
  for (const { lbEndpoints } of after?.endpoints ?? []) {
    for (const endpoint of lbEndpoints) endpoint.loadBalancingWeight ??= 1;
  }
  expect(after).toEqual(before);
});
