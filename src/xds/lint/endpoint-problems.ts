import { isIP } from "node:net";
import type { Address } from "../../gen/envoy/config/core/v3/address_pb.ts";
import { HealthStatus } from "../../gen/envoy/config/core/v3/health_check_pb.ts";
import type { LbEndpoint, LocalityLbEndpoints } from "../../gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import type { ClusterLoadAssignment } from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { type Finding, refused, UINT32_MAX, unavailable } from "./proxyless-problem.ts";

const USABLE: readonly HealthStatus[] = [HealthStatus.UNKNOWN, HealthStatus.HEALTHY];

/** What a proxyless client finds wrong with an endpoint set. Weight and locality are optional only for Envoy. */
export function endpointProblems({ endpoints }: ClusterLoadAssignment): Finding[] {
  return [...localityProblems(endpoints), ...addressProblems(endpoints), ...priorityProblems(endpoints)];
}

function localityProblems(localities: readonly LocalityLbEndpoints[]): Finding[] {
  const seen = new Set<string>();
  const findings = localities.flatMap(({ locality, priority, loadBalancingWeight, lbEndpoints }, index) => {
    const field = `endpoints[${index}]`;
    const found: Finding[] = [];
    if (!locality)
      found.push(refused(`${field}.locality`, "locality_missing", "A locality is required; it may be empty."));
    else {
      const key = JSON.stringify([priority, locality.region, locality.zone, locality.subZone]);
      if (seen.has(key)) {
        found.push(refused(`${field}.locality`, "locality_repeated", "A priority may have each locality only once."));
      }
      seen.add(key);
    }
    if ((loadBalancingWeight ?? 0) === 0) {
      const why = "A locality without a weight is left out, with all its endpoints.";
      found.push(unavailable(`${field}.load_balancing_weight`, "locality_weight_missing", why));
    }
    if (lbEndpoints.reduce((sum, member) => sum + (member.loadBalancingWeight ?? 0), 0) > UINT32_MAX) {
      const why = "The weights of a locality's endpoints add up to more than 2³²-1.";
      found.push(refused(`${field}.lb_endpoints`, "weight_sum_too_large", why));
    }
    return found;
  });
  const members = localities.flatMap(({ lbEndpoints }) => lbEndpoints);
  if (members.length > 0 && !members.some(({ healthStatus }) => USABLE.includes(healthStatus))) {
    const why = "Only endpoints whose health is UNKNOWN or HEALTHY are called, and there is none.";
    findings.push(unavailable("endpoints", "no_usable_endpoint", why));
  }
  return findings;
}

function addressProblems(localities: readonly LocalityLbEndpoints[]): Finding[] {
  const seen = new Set<string>();
  return localities.flatMap(({ lbEndpoints }, outer) =>
    lbEndpoints.flatMap((member, inner) =>
      addressProblem(member, `endpoints[${outer}].lb_endpoints[${inner}].endpoint`, seen),
    ),
  );
}

function addressProblem({ hostIdentifier }: LbEndpoint, field: string, seen: Set<string>): Finding[] {
  const endpoint = hostIdentifier.case === "endpoint" ? hostIdentifier.value : undefined;
  const additional = endpoint?.additionalAddresses.map(({ address }) => address) ?? [];
  return [
    ...oneAddressProblem(endpoint?.address, `${field}.address`, seen),
    ...additional.flatMap((address, index) =>
      oneAddressProblem(address, `${field}.additional_addresses[${index}].address`, seen),
    ),
  ];
}

function oneAddressProblem(given: Address | undefined, field: string, seen: Set<string>): Finding[] {
  const address = given?.address;
  if (address?.case !== "socketAddress") {
    return [refused(field, "address_not_ip", "An endpoint needs a socket address.")];
  }
  const { address: host, portSpecifier: port } = address.value;
  if (isIP(host) === 0) {
    const why = `${host} is not an IP address: names are not resolved.`;
    return [refused(`${field}.socket_address.address`, "address_not_ip", why)];
  }
  if (port.case !== "portValue") {
    return [refused(`${field}.socket_address`, "port_not_number", "The port must be a number.")];
  }
  const key = `${host} ${port.value}`;
  if (seen.has(key)) {
    return [refused(`${field}.socket_address`, "address_repeated", "An endpoint set may have each address only once.")];
  }
  seen.add(key);
  return [];
}

function priorityProblems(localities: readonly LocalityLbEndpoints[]): Finding[] {
  const weights = new Map<number, number>();
  for (const { priority, loadBalancingWeight } of localities) {
    weights.set(priority, (weights.get(priority) ?? 0) + (loadBalancingWeight ?? 0));
  }
  return [...weights].flatMap(([priority, sum]) => {
    const found: Finding[] = [];
    if (priority > 0 && !weights.has(priority - 1)) {
      found.push(refused("endpoints", "priority_gap", `Priority ${priority} needs a priority ${priority - 1}.`));
    }
    if (sum > UINT32_MAX) {
      const why = `The weights of priority ${priority} add up to more than 2³²-1.`;
      found.push(refused("endpoints", "weight_sum_too_large", why));
    }
    return found;
  });
}
