import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Profile } from "../domain/fleet-profile.ts";
import { grpcAlgorithm } from "../domain/grpc-clients.ts";
import type { OutlierDetection, PolicySpec } from "../domain/policy.ts";
import { effectivePolicy } from "../domain/routing-state.ts";
import type { Service } from "../domain/service.ts";
import type { State } from "../domain/state.ts";
import { Cluster_DiscoveryType, Cluster_LbPolicy, ClusterSchema } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import type { OutlierDetectionSchema } from "../gen/envoy/config/cluster/v3/outlier_detection_pb.ts";
import { RoundRobinSchema } from "../gen/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.ts";
import { WrrLocalitySchema } from "../gen/envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality_pb.ts";
import { ENDPOINT_TYPE } from "../xds/protocol/resource-types.ts";
import { ADS, duration, pack } from "./message-parts.ts";
import { type ObjectRef, type Resource, resourceOf } from "./resource.ts";

/** Localities by their weights, and the endpoints of each in turn. */
const BY_LOCALITY = {
  policies: [
    {
      typedExtensionConfig: {
        name: "envoy.load_balancing_policies.wrr_locality",
        typedConfig: pack(WrrLocalitySchema, {
          endpointPickingPolicy: {
            policies: [
              {
                typedExtensionConfig: {
                  name: "envoy.load_balancing_policies.round_robin",
                  typedConfig: pack(RoundRobinSchema, {}),
                },
              },
            ],
          },
        }),
      },
    },
  ],
};

/** Of all failing backends, one is ejected once every call of an interval failed; libraries count no failures in a row. */
const FAILURE = { enforcingPercent: 100, thresholdPercent: 99, minimumHosts: 2 };

/** How gRPC clients talk to a service. */
export function deriveGrpcCluster(state: State, { name }: Service, profile: Profile): Resource {
  const { policy, policyName } = effectivePolicy(state, name);
  const { maxRequests } = policy.circuitBreakers;
  const cluster = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ADS, serviceName: name },
    ...spreading(policy),
    circuitBreakers: { thresholds: [{ maxRequests }] },
    ...(policy.outlierDetection && { outlierDetection: outlierDetection(policy.outlierDetection, profile) }),
  });
  const objects: ObjectRef[] = [{ kind: "service", name }];
  if (policyName !== undefined) objects.push({ kind: "policy", name: policyName });
  return resourceOf(ClusterSchema, cluster, { name, references: [{ typeUrl: ENDPOINT_TYPE, name }], objects });
}

function spreading(policy: PolicySpec) {
  if (grpcAlgorithm(policy) === "ROUND_ROBIN") {
    return { lbPolicy: Cluster_LbPolicy.ROUND_ROBIN, loadBalancingPolicy: BY_LOCALITY } as const;
  }
  const { minimum, maximum } = policy.ringSize;
  const value = { minimumRingSize: BigInt(minimum), maximumRingSize: BigInt(maximum) };
  return { lbPolicy: Cluster_LbPolicy.RING_HASH, lbConfig: { case: "ringHashLbConfig", value } } as const;
}

function outlierDetection(
  detection: OutlierDetection,
  profile: Profile,
): MessageInitShape<typeof OutlierDetectionSchema> {
  return {
    interval: duration(detection.intervalMs),
    baseEjectionTime: duration(detection.baseEjectionTimeMs),
    maxEjectionPercent: detection.maxEjectionPercent ?? profile.maxEjectionPercent,
    enforcingSuccessRate: 0,
    enforcingFailurePercentage: FAILURE.enforcingPercent,
    failurePercentageThreshold: FAILURE.thresholdPercent,
    failurePercentageMinimumHosts: FAILURE.minimumHosts,
    failurePercentageRequestVolume: detection.consecutive5xx,
  };
}
