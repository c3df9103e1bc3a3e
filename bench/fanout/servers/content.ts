/** What the servers serve: the same endpoints, byte for byte, as the peers in bench/peers. */
import { create, toBinary } from "@bufbuild/protobuf";
import { HealthStatus } from "../../../src/gen/envoy/config/core/v3/health_check_pb.ts";
import { type LbEndpoint, LbEndpointSchema } from "../../../src/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";

export function buildAssignments(resources: number, endpoints: number): ClusterLoadAssignment[] {
  return Array.from({ length: resources }, (_, resource) => {
    const lbEndpoints = Array.from({ length: endpoints }, (_, index) =>
      buildEndpoint(index, index === 0 ? changeAddress(0) : ordinaryAddress(index)),
    );
    return assignment(`cluster-${resource}`, lbEndpoints);
  });
}

/** The assignment with another first endpoint; all others are shared with the old one. */
export function changeAssignment(old: ClusterLoadAssignment, change: number): ClusterLoadAssignment {
  const [, ...rest] = old.endpoints[0]?.lbEndpoints ?? [];
  return assignment(old.clusterName, [buildEndpoint(0, changeAddress(change)), ...rest]);
}

export function buildMember(index: number, change?: number): { name: string; body: Uint8Array } {
  const address = change === undefined ? ordinaryAddress(index) : changeAddress(change);
  return {
    name: `xdstp://bench/envoy.config.endpoint.v3.LbEndpoint/cluster-0/${index}`,
    body: toBinary(LbEndpointSchema, buildEndpoint(index, address)),
  };
}

function assignment(clusterName: string, lbEndpoints: LbEndpoint[]): ClusterLoadAssignment {
  return create(ClusterLoadAssignmentSchema, { clusterName, endpoints: [{ lbEndpoints }] });
}

function buildEndpoint(index: number, address: string): LbEndpoint {
  const socketAddress = { address, portSpecifier: { case: "portValue", value: 8080 } } as const;
  return create(LbEndpointSchema, {
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
}

/** The number of a change as 10.A.B.C, where the load client finds it. */
export function changeAddress(change: number): string {
  return `10.${(change >> 16) & 255}.${(change >> 8) & 255}.${change & 255}`;
}

export function ordinaryAddress(index: number): string {
  return `172.${16 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}
