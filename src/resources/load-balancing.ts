import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { Algorithm, HashKey, PolicySpec, SingleHashKey } from "../domain/policy.ts";
import {
  type RouteAction_HashPolicy,
  RouteAction_HashPolicySchema,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";
import type { LocalityLbConfigSchema } from "../gen/envoy/extensions/load_balancing_policies/common/v3/common_pb.ts";
import { LeastRequestSchema } from "../gen/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.ts";
import { MaglevSchema } from "../gen/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.ts";
import { RandomSchema } from "../gen/envoy/extensions/load_balancing_policies/random/v3/random_pb.ts";
import { RingHashSchema } from "../gen/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.ts";
import { RoundRobinSchema } from "../gen/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.ts";
import { duration, pack } from "./message-parts.ts";

/** Backends share traffic by weight, wherever proxy and backend are: zone-aware routing, on by default, is switched off. */
const localityLbConfig: MessageInitShape<typeof LocalityLbConfigSchema> = {
  localityConfigSpecifier: { case: "zoneAwareLbConfig", value: { routingEnabled: { value: 0 } } },
};

const CONFIGS: { readonly [A in Algorithm]: (policy: PolicySpec) => { name: string; typedConfig: Any } } = {
  ROUND_ROBIN: () => extension("round_robin", RoundRobinSchema, { localityLbConfig }),
  LEAST_REQUEST: ({ choiceCount }) => extension("least_request", LeastRequestSchema, { choiceCount, localityLbConfig }),
  RING_HASH: ({ ringSize }) =>
    extension("ring_hash", RingHashSchema, {
      minimumRingSize: BigInt(ringSize.minimum),
      maximumRingSize: BigInt(ringSize.maximum),
    }),
  MAGLEV: ({ maglevTableSize }) => extension("maglev", MaglevSchema, { tableSize: BigInt(maglevTableSize) }),
  RANDOM: () => extension("random", RandomSchema, { localityLbConfig }),
};

/** Envoy's load-balancing policy for an algorithm. */
export function loadBalancer(policy: PolicySpec): { name: string; typedConfig: Any } {
  return CONFIGS[policy.algorithm](policy);
}

function extension<Desc extends DescMessage>(name: string, desc: Desc, init: MessageInitShape<Desc>) {
  return { name: `envoy.load_balancing_policies.${name}`, typedConfig: pack(desc, init) };
}

/** The last one is terminal: the first key that a request has is the only one that counts. */
export function hashPolicies(key: HashKey): RouteAction_HashPolicy[] {
  const together = key.kind === "all" ? key.keys : [key];
  return together.map((one, i) =>
    create(RouteAction_HashPolicySchema, { terminal: i === together.length - 1, policySpecifier: specifier(one) }),
  );
}

function specifier(
  key: SingleHashKey,
): Required<MessageInitShape<typeof RouteAction_HashPolicySchema>>["policySpecifier"] {
  switch (key.kind) {
    case "header":
      return { case: "header", value: { headerName: key.name } };
    case "cookie": {
      const ttl = key.ttlMs === undefined ? {} : { ttl: duration(key.ttlMs) };
      return { case: "cookie", value: { name: key.name, path: key.path, ...ttl } };
    }
    case "sourceIp":
      return { case: "connectionProperties", value: { sourceIp: true } };
    case "queryParameter":
      return { case: "queryParameter", value: { name: key.name } };
  }
}
