import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { LbEndpointSchema } from "../../../../src/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { encodeAssignment } from "../../../../src/xds/content/encode-assignment.ts";

test("the bytes are those of the whole message", () => {
  const endpoints = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((address) =>
    create(LbEndpointSchema, {
      hostIdentifier: {
        case: "endpoint",
        value: { address: { address: { case: "socketAddress", value: { address } } } },
      },
    }),
  );
  const [one, two, three] = endpoints.map((endpoint) => toBinary(LbEndpointSchema, endpoint));
  const message = create(ClusterLoadAssignmentSchema, {
    clusterName: "shop",
    endpoints: [
      { locality: { zone: "a" }, loadBalancingWeight: 7, lbEndpoints: endpoints.slice(0, 2) },
      { priority: 1, lbEndpoints: endpoints.slice(2) },
      {},
    ],
  });
  const composed = encodeAssignment("shop", [
    { locality: { zone: "a" }, weight: 7, lbEndpoints: [one ?? new Uint8Array(), two ?? new Uint8Array()] },
    { priority: 1, lbEndpoints: [three ?? new Uint8Array()] },
    { lbEndpoints: [] },
  ]);
  expect(Buffer.from(composed).equals(toBinary(ClusterLoadAssignmentSchema, message))).toBe(true);
});
