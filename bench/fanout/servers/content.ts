/** What the servers serve: the same endpoints, byte for byte, as the peers in bench/peers. */
import { create, toBinary } from "@bufbuild/protobuf";
import { HealthStatus } from "../../../src/gen/envoy/config/core/v3/health_check_pb.ts";
import { LbEndpointSchema } from "../../../src/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";

/** The endpoints of an assignment, encoded; the first is the one that changes. */
export function buildEndpoints(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    encoded(index, index === 0 ? changeAddress(0) : ordinaryAddress(index)),
  );
}

export function buildFirstEndpoint(change: number): Uint8Array {
  return encoded(0, changeAddress(change));
}

export function buildMember(index: number, change?: number): { name: string; body: Uint8Array } {
  const address = change === undefined ? ordinaryAddress(index) : changeAddress(change);
  return {
    name: `xdstp://bench/envoy.config.endpoint.v3.LbEndpoint/cluster-0/${index}`,
    body: encoded(index, address),
  };
}

function encoded(index: number, address: string): Uint8Array {
  const socketAddress = { address, portSpecifier: { case: "portValue", value: 8080 } } as const;
  const endpoint = create(LbEndpointSchema, {
    hostIdentifier: {
      case: "endpoint",
      value: {
        address: { address: { case: "socketAddress", value: socketAddress } },
        hostname: `backend-${String(index).padStart(5, "0")}.shops.example`,
      },
    },
    healthStatus: HealthStatus.HEALTHY,
    loadBalancingWeight: 1,
  });
  return toBinary(LbEndpointSchema, endpoint);
}

/** The number of a change as 10.A.B.C, where the load client finds it. */
export function changeAddress(change: number): string {
  return `10.${(change >> 16) & 255}.${(change >> 8) & 255}.${change & 255}`;
}

export function ordinaryAddress(index: number): string {
  return `172.${16 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}
