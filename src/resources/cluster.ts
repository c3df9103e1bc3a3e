import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Profile } from "../domain/fleet-profile.ts";
import type { OutlierDetection } from "../domain/policy.ts";
import { effectivePolicy } from "../domain/routing-state.ts";
import type { Service } from "../domain/service.ts";
import type { State } from "../domain/state.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import type { OutlierDetectionSchema } from "../gen/envoy/config/cluster/v3/outlier_detection_pb.ts";
import { HttpProtocolOptionsSchema } from "../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import { ENDPOINT_TYPE } from "../xds/protocol/resource-types.ts";
import { loadBalancer } from "./load-balancing.ts";
import { ADS, duration, pack } from "./message-parts.ts";
import { type ObjectRef, type Resource, resourceOf } from "./resource.ts";

/** Envoy's advice for the edge: it bounds what one slow connection can hold. */
const BUFFER_LIMIT_BYTES = 32_768;

/** How proxies talk to a service. Nothing here changes with its backends: a changed cluster is warmed again. */
export function deriveCluster(state: State, service: Service, profile: Profile): Resource {
  const { policy, policyName } = effectivePolicy(state, service.name);
  const limits = policy.circuitBreakers;
  const cluster = create(ClusterSchema, {
    name: service.name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ADS, serviceName: service.name },
    connectTimeout: duration(service.connectTimeoutMs),
    perConnectionBufferLimitBytes: BUFFER_LIMIT_BYTES,
    loadBalancingPolicy: { policies: [{ typedExtensionConfig: loadBalancer(policy) }] },
    commonLbConfig: {
      healthyPanicThreshold: { value: policy.panicThreshold },
      // Envoy would hold back changes of health and weight for a second.
      updateMergeWindow: duration(0),
    },
    // A backend that was unregistered is removed at once, even where the proxy's own checks pass.
    ignoreHealthOnHostRemoval: true,
    circuitBreakers: { thresholds: [limits] },
    ...(policy.outlierDetection && { outlierDetection: outlierDetection(policy.outlierDetection, profile) }),
    typedExtensionProtocolOptions: { [HttpProtocolOptionsSchema.typeName]: protocolOptions(service) },
  });
  const objects: ObjectRef[] = [{ kind: "service", name: service.name }];
  if (policyName !== undefined) objects.push({ kind: "policy", name: policyName });
  const references = [{ typeUrl: ENDPOINT_TYPE, name: service.name }];
  return resourceOf(ClusterSchema, cluster, { name: service.name, references, objects });
}

function outlierDetection(
  detection: OutlierDetection,
  profile: Profile,
): MessageInitShape<typeof OutlierDetectionSchema> {
  return {
    consecutive5xx: detection.consecutive5xx,
    interval: duration(detection.intervalMs),
    baseEjectionTime: duration(detection.baseEjectionTimeMs),
    maxEjectionPercent: detection.maxEjectionPercent ?? profile.maxEjectionPercent,
    // On by default, it would eject by comparison with the other backends.
    enforcingSuccessRate: 0,
  };
}

function protocolOptions({ protocol }: Service) {
  return pack(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: "explicitHttpConfig",
      value: {
        protocolConfig:
          protocol === "HTTP2"
            ? { case: "http2ProtocolOptions", value: {} }
            : { case: "httpProtocolOptions", value: {} },
      },
    },
  });
}
