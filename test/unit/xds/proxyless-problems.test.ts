import { create } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import {
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  Cluster_RingHashLbConfig_HashFunction,
  LoadBalancingPolicySchema,
} from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { LocalitySchema } from "../../../src/gen/envoy/config/core/v3/base_pb.ts";
import { HealthStatus } from "../../../src/gen/envoy/config/core/v3/health_check_pb.ts";
import type { LocalityLbEndpoints } from "../../../src/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { ListenerSchema } from "../../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import {
  FilterConfigSchema,
  RetryPolicySchema,
  RouteMatchSchema,
} from "../../../src/gen/envoy/config/route/v3/route_components_pb.ts";
import type { HttpFilterSchema } from "../../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { LeastRequestSchema } from "../../../src/gen/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.ts";
import { MaglevSchema } from "../../../src/gen/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.ts";
import {
  RingHash_HashFunction,
  RingHashSchema,
} from "../../../src/gen/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.ts";
import { RoundRobinSchema } from "../../../src/gen/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.ts";
import { WrrLocalitySchema } from "../../../src/gen/envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality_pb.ts";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../../src/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { type ProxylessInput, prepareResource, proxylessProblems } from "../../../src/xds/server/library.ts";
import {
  ADS,
  apiListener,
  assignment,
  edsCluster,
  endpointAt,
  hostOf,
  httpManager,
  type Init,
  locality,
  packed,
  routeConfig,
  router,
  routesTo,
  routeTo,
  routeWith,
} from "../../support/proxyless-resources.ts";

/** `code effect` of every problem. */
const problems = (...resources: ProxylessInput[]): string[] =>
  proxylessProblems(resources).map(({ code, effect }) => `${code} ${effect}`);

const API_CONFIG = { configSourceSpecifier: { case: "apiConfigSource", value: {} } } as const;
const SELF = { configSourceSpecifier: { case: "self", value: {} } } as const;

test("resources in the shapes that all libraries take have no problem, as messages and as bytes of a cache", () => {
  const resources = [
    apiListener("who.example"),
    routesTo("a"),
    edsCluster("a"),
    assignment("a", locality(endpointAt(1), endpointAt(2)), at(1, endpointAt(3))),
  ];
  expect(proxylessProblems(resources)).toEqual([]);
  expect(proxylessProblems(resources.map(prepareResource))).toEqual([]);
});

test("a problem says in which resource it is, and in which field", () => {
  const [problem] = proxylessProblems([assignment("a", locality(endpointAt(1, "host.example")))]);
  expect(problem?.resource).toEqual({
    typeUrl: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    name: "a",
  });
  expect(problem?.field).toBe("endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address");
});

test("bytes that do not decode are refused, and types that such clients do not ask for are passed over", () => {
  const typeUrl = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
  expect(problems({ typeUrl, name: "a", body: Uint8Array.of(255) })).toEqual(["undecodable refused"]);
  expect(problems({ typeUrl: "type.googleapis.com/other", name: "a", body: Uint8Array.of(255) })).toEqual([]);
});

describe("endpoints", () => {
  test.each<[string, LocalityLbEndpoints[], string[]]>([
    ["without locality", [withoutLocality()], ["locality_missing refused"]],
    ["of a locality without weight", [weighted(undefined)], ["locality_weight_missing unavailable"]],
    ["of a locality of weight 0", [weighted(0)], ["locality_weight_missing unavailable"]],
    ["of one locality twice in a priority", [at(0), at(0)], ["locality_repeated refused"]],
    ["of priority 1 without 0", [at(1)], ["priority_gap refused"]],
    ["with a host name", [locality(endpointAt(1, "host.example"))], ["address_not_ip refused"]],
    ["with an IPv6 address", [locality(endpointAt(1, "::1"))], []],
    ["without an address", [locality({})], ["address_not_ip refused"]],
    ["with one address twice", [locality(endpointAt(1), endpointAt(1))], ["address_repeated refused"]],
    ["with one address in two priorities", [at(0, endpointAt(1)), at(1, endpointAt(1))], ["address_repeated refused"]],
    [
      "with weights beyond 32 bits in one priority",
      [weighted(0xffff_ffff), inZone("b", weighted(1))],
      ["weight_sum_too_large refused"],
    ],
    [
      "with weights beyond 32 bits in one locality",
      [locality({ ...endpointAt(1), loadBalancingWeight: 0xffff_ffff }, { ...endpointAt(2), loadBalancingWeight: 1 })],
      ["weight_sum_too_large refused"],
    ],
    ["with another address of their own", [locality(withSecond("::1"))], []],
    ["with one address twice in an endpoint", [locality(withSecond("127.0.0.1"))], ["address_repeated refused"]],
    ["with a host name as another address", [locality(withSecond("host.example"))], ["address_not_ip refused"]],
    ["that are all unhealthy or draining", [ofHealth("UNHEALTHY", "DRAINING")], ["no_usable_endpoint unavailable"]],
    ["one of which is of unknown health", [ofHealth("UNHEALTHY", "UNKNOWN")], []],
    ["of which there are none", [], []],
  ])("%s", (_, localities, expected) => {
    expect(problems(assignment("a", ...localities))).toEqual(expected);
  });
});

describe("a cluster", () => {
  const type = (value: Cluster_DiscoveryType) => ({ clusterDiscoveryType: { case: "type", value } as const });
  const policy = (...configs: ReturnType<typeof packed>[]) =>
    create(LoadBalancingPolicySchema, {
      policies: configs.map((typedConfig) => ({ typedExtensionConfig: { name: "policy", typedConfig } })),
    });
  const wrr = (child: ReturnType<typeof packed>) => packed(WrrLocalitySchema, { endpointPickingPolicy: policy(child) });
  const tls = (commonTlsContext: Init<typeof UpstreamTlsContextSchema>["commonTlsContext"], name = "tls") => ({
    transportSocket: {
      name: `envoy.transport_sockets.${name}`,
      configType: {
        case: "typedConfig",
        value: packed(UpstreamTlsContextSchema, commonTlsContext && { commonTlsContext }),
      } as const,
    },
  });
  const authorities = {
    case: "validationContext",
    value: { caCertificateProviderInstance: { instanceName: "ca" } },
  } as const;
  const oneHost = { clusterName: "a", endpoints: [locality(endpointAt(1, "host.example"))] };

  test.each<[string, Parameters<typeof edsCluster>[1], string[]]>([
    ["of type STATIC", type(Cluster_DiscoveryType.STATIC), ["cluster_type_unknown refused"]],
    ["of type STRICT_DNS", type(Cluster_DiscoveryType.STRICT_DNS), ["cluster_type_unknown refused"]],
    ["of type LOGICAL_DNS", type(Cluster_DiscoveryType.LOGICAL_DNS), ["dns_endpoint_not_one refused"]],
    ["of type LOGICAL_DNS with one host", { ...type(Cluster_DiscoveryType.LOGICAL_DNS), loadAssignment: oneHost }, []],
    ["of an own type", { clusterDiscoveryType: { case: "clusterType", value: {} } }, ["cluster_type_unknown refused"]],
    [
      "with endpoints from elsewhere",
      { edsClusterConfig: { edsConfig: API_CONFIG } },
      ["config_source_not_own refused"],
    ],
    ["with endpoints from the same server", { edsClusterConfig: { edsConfig: SELF } }, []],
    ["that reports load elsewhere", { lrsServer: ADS }, ["config_source_not_own refused"]],
    ["with LEAST_REQUEST", { lbPolicy: Cluster_LbPolicy.LEAST_REQUEST }, ["lb_policy_unknown partial"]],
    ["with MAGLEV", { lbPolicy: Cluster_LbPolicy.MAGLEV }, ["lb_policy_unknown refused"]],
    ["with RING_HASH", { lbPolicy: Cluster_LbPolicy.RING_HASH }, []],
    [
      "with RING_HASH by another function",
      {
        lbPolicy: Cluster_LbPolicy.RING_HASH,
        lbConfig: {
          case: "ringHashLbConfig",
          value: { hashFunction: Cluster_RingHashLbConfig_HashFunction.MURMUR_HASH_2 },
        },
      },
      ["hash_function_unknown refused"],
    ],
    [
      "with a list that only some know",
      { loadBalancingPolicy: policy(packed(LeastRequestSchema)) },
      ["lb_policy_unknown partial"],
    ],
    [
      "with a list that none knows",
      { loadBalancingPolicy: policy(packed(MaglevSchema)) },
      ["lb_policy_unknown refused"],
    ],
    ["with a list that ends well", { loadBalancingPolicy: policy(packed(MaglevSchema), packed(RoundRobinSchema)) }, []],
    ["with wrr_locality over round_robin", { loadBalancingPolicy: policy(wrr(packed(RoundRobinSchema))) }, []],
    [
      "with wrr_locality over maglev",
      { loadBalancingPolicy: policy(wrr(packed(MaglevSchema))) },
      ["lb_policy_unknown refused"],
    ],
    [
      "with wrr_locality over nothing",
      { loadBalancingPolicy: policy(packed(WrrLocalitySchema)) },
      ["lb_policy_unknown refused"],
    ],
    [
      "with a ring_hash by XX_HASH",
      { loadBalancingPolicy: policy(packed(RingHashSchema, { hashFunction: RingHash_HashFunction.XX_HASH })) },
      [],
    ],
    [
      "with a ring_hash by its default function",
      { loadBalancingPolicy: policy(packed(RingHashSchema)) },
      ["hash_function_unknown refused"],
    ],
    [
      "with TLS for some endpoints",
      { transportSocketMatches: [{ name: "a" }] },
      ["transport_socket_matches_set refused"],
    ],
    [
      "with TLS and what only Envoy verifies",
      tls({
        tlsParams: {},
        customHandshaker: { name: "other" },
        validationContextType: {
          case: "validationContext",
          value: {
            ...authorities.value,
            verifyCertificateSpki: ["a"],
            verifyCertificateHash: ["a"],
            requireSignedCertificateTimestamp: true,
            crl: {},
            customValidatorConfig: { name: "other" },
          },
        },
      }),
      Array.from({ length: 7 }, () => "tls_field_unknown refused"),
    ],
    ["with TLS and a provider of authorities", tls({ validationContextType: authorities }), []],
    ["with TLS and no provider", tls({}), ["certificate_provider_missing refused"]],
    [
      "with TLS and a certificate by SDS",
      tls({ validationContextType: authorities, tlsCertificateSdsSecretConfigs: [{ name: "secret" }] }),
      ["certificate_provider_missing refused"],
    ],
    ["with another transport socket", tls({}, "raw_buffer"), ["transport_socket_unknown refused"]],
  ])("%s", (_, more, expected) => {
    expect(problems(edsCluster("a", more))).toEqual(expected);
  });
});

describe("routes", () => {
  test("whose weights add up to nothing are refused", () => {
    const routes = routesTo("a");
    const action = routes.virtualHosts[0]?.routes[0]?.action;
    if (action?.case !== "route" || action.value.clusterSpecifier.case !== "weightedClusters") expect.fail();
    for (const cluster of action.value.clusterSpecifier.value.clusters) cluster.weight = 0;
    expect(problems(routes)).toEqual(["weight_sum_out_of_range refused"]);
  });

  test("that hash to a ring need a hash policy, else C-core crashes", () => {
    const ring = edsCluster("a", { lbPolicy: Cluster_LbPolicy.RING_HASH });
    expect(problems(ring, routesTo("a"))).toEqual(["hash_policy_missing crash"]);
    expect(problems(ring, routesTo("b"))).toEqual([]);
  });

  test("that redirect are refused, and when there are none calls fail", () => {
    const redirect = routeWith({ case: "redirect", value: {} });
    expect(problems(routeConfig(hostOf(redirect)))).toEqual(["action_unknown refused"]);
    expect(problems(routeConfig(hostOf()))).toEqual(["route_missing unavailable"]);
  });

  test("to a cluster that a header names fail calls", () => {
    const named = routeWith({
      case: "route",
      value: { clusterSpecifier: { case: "clusterHeader", value: "x-cluster" } },
    });
    expect(problems(routeConfig(hostOf(named)))).toEqual(["cluster_header_set unavailable"]);
  });

  test("for servers end a client over grpc-js", () => {
    const here = routeConfig(hostOf(routeWith({ case: "nonForwardingAction", value: {} })));
    expect(problems(here)).toEqual([]);
    expect(problems(here, apiListener("who.example"))).toEqual(["action_of_server crash"]);
  });

  test.each<[string, Init<typeof RouteMatchSchema> | undefined, string[]]>([
    ["a path", { pathSpecifier: { case: "path", value: "/a" } }, []],
    ["a regular expression", { pathSpecifier: { case: "safeRegex", value: { regex: "/a" } } }, []],
    [
      "a prefix of whole segments",
      { pathSpecifier: { case: "pathSeparatedPrefix", value: "/a" } },
      ["path_match_unknown refused"],
    ],
    ["CONNECT", { pathSpecifier: { case: "connectMatcher", value: {} } }, ["path_match_unknown refused"]],
    ["nothing", undefined, ["path_match_unknown refused"]],
    [
      "a header that is there",
      {
        pathSpecifier: { case: "prefix", value: "" },
        headers: [{ name: "a", headerMatchSpecifier: { case: "presentMatch", value: true } }],
      },
      [],
    ],
    [
      "what only Envoy can see",
      {
        pathSpecifier: { case: "prefix", value: "" },
        queryParameters: [{ name: "a" }],
        dynamicMetadata: [{ filter: "a" }],
        tlsContext: {},
      },
      Array.from({ length: 3 }, () => "match_condition_ignored ignored"),
    ],
    [
      "a header without a comparison",
      { pathSpecifier: { case: "prefix", value: "" }, headers: [{ name: "a" }] },
      ["header_match_missing refused"],
    ],
  ])("are looked at for what they match: %s", (_, match, expected) => {
    const route = routeTo("a");
    route.match = match && create(RouteMatchSchema, match);
    expect(problems(routeConfig(hostOf(route)))).toEqual(expected);
  });

  test.each([
    ["", ["domain_malformed crash"]],
    ["*a*", ["domain_malformed refused"]],
    ["a*b", ["domain_malformed refused"]],
    ["*a", []],
    ["a*", []],
    ["*", []],
  ])("may not be for the domain '%s'", (domain, expected) => {
    expect(problems(routeConfig({ ...hostOf(routeTo("a")), domains: [domain] }))).toEqual(expected);
  });

  test("with settings of filters that gRPC does not know are refused, unless these are optional", () => {
    const unknown = { other: packed(RoundRobinSchema) };
    const optional = { other: packed(FilterConfigSchema, { config: packed(RoundRobinSchema), isOptional: true }) };
    const disabled = { other: packed(FilterConfigSchema, { disabled: true }) };
    const found = (overrides: Record<string, Any>) => {
      const weighted = routeTo("a");
      const { action } = weighted;
      if (action.case !== "route" || action.value.clusterSpecifier.case !== "weightedClusters") expect.fail();
      for (const each of action.value.clusterSpecifier.value.clusters) each.typedPerFilterConfig = overrides;
      const route = { ...routeTo("a"), typedPerFilterConfig: overrides };
      const host = { ...hostOf(route, weighted), typedPerFilterConfig: overrides };
      return problems(routeConfig(host));
    };
    expect(found(unknown)).toEqual(Array.from({ length: 3 }, () => "filter_unknown refused"));
    expect(found(disabled)).toEqual(Array.from({ length: 3 }, () => "filter_unknown refused"));
    expect(found(optional)).toEqual([]);
  });

  test("that retry no times are refused", () => {
    const none = create(RetryPolicySchema, { numRetries: 0 });
    const route = routeTo("a");
    if (route.action.case === "route") route.action.value.retryPolicy = none;
    const refused = ["retries_zero refused"];
    expect(problems(routeConfig(hostOf(route)))).toEqual(refused);
    expect(problems(routeConfig({ ...hostOf(routeTo("a")), retryPolicy: none }))).toEqual(refused);
    expect(problems(routeConfig({ ...hostOf(routeTo("a")), retryPolicy: create(RetryPolicySchema) }))).toEqual([]);
  });

  test.each([
    ["who.example", []],
    ["WHO.example", []],
    ["*.example", []],
    ["who.*", []],
    ["*", []],
    ["who.example:80", ["domain_unmatched unavailable"]],
    ["other.example", ["domain_unmatched unavailable"]],
  ])("for the domain %s are compared with the target", (domain, expected) => {
    const host = { ...hostOf(routeTo("a")), domains: [domain] };
    expect(problems(apiListener("who.example"), routeConfig(host))).toEqual(expected);
  });

  test("inside a listener are looked at as well", () => {
    const manager = httpManager({ routeSpecifier: { case: "routeConfig", value: routeConfig(hostOf()) } });
    expect(problems(apiListener("who.example", manager))).toEqual(["route_missing unavailable"]);
  });
});

describe("a listener", () => {
  type Filter = Init<typeof HttpFilterSchema>;
  const other = (isOptional: boolean): Filter => ({
    name: "other",
    isOptional,
    configType: { case: "typedConfig", value: packed(RoundRobinSchema) },
  });

  test.each<[string, Filter[], string[]]>([
    ["without filters", [], ["router_not_last refused"]],
    [
      "with a filter behind the Router",
      [router(), other(true)],
      ["router_not_last refused", "router_not_last refused"],
    ],
    ["with an unknown filter", [other(false), router()], ["filter_unknown refused"]],
    ["with an unknown filter that is optional", [other(true), router()], []],
    ["with two filters of one name", [{ ...other(true), name: "router" }, router()], ["filter_repeated refused"]],
  ])("%s", (_, httpFilters, expected) => {
    expect(problems(apiListener("a", httpManager({ httpFilters })))).toEqual(expected);
  });

  test("with routes from elsewhere, or by scopes, is refused", () => {
    const rds = { routeConfigName: "rc", configSource: API_CONFIG };
    const elsewhere = httpManager({ routeSpecifier: { case: "rds", value: rds } });
    const scoped = httpManager({ routeSpecifier: { case: "scopedRoutes", value: {} } });
    expect(problems(apiListener("a", elsewhere))).toEqual(["config_source_not_own refused"]);
    expect(problems(apiListener("a", scoped))).toEqual(["route_source_unknown refused"]);
  });

  test("with what is for proxies is refused", () => {
    const { apiListener: api } = apiListener(
      "a",
      httpManager({ xffNumTrustedHops: 1, originalIpDetectionExtensions: [{ name: "a" }] }),
    );
    const listener = create(ListenerSchema, {
      name: "a",
      ...(api && { apiListener: api }),
      listenerFilters: [{ name: "inspector" }],
      useOriginalDst: true,
    });
    expect(problems(listener)).toEqual([
      "listener_filters_set refused",
      "original_dst_set refused",
      "trusted_hops_set refused",
      "ip_detection_set refused",
    ]);
  });

  test("without an HTTP connection manager is refused", () => {
    expect(problems(create(ListenerSchema, { name: "a" }))).toEqual(["api_listener_missing refused"]);
    expect(problems(apiListener("a", packed(RoundRobinSchema)))).toEqual(["http_manager_missing refused"]);
    const empty = create(ListenerSchema, { name: "a", defaultFilterChain: {} });
    expect(problems(empty)).toEqual(["http_manager_missing refused"]);
  });

  test("of a server with TLS presents a certificate of a provider", () => {
    const chain = (providers: object) =>
      create(ListenerSchema, {
        name: "a",
        filterChains: [
          {
            filters: [{ name: "http", configType: { case: "typedConfig", value: httpManager() } }],
            transportSocket: {
              name: "envoy.transport_sockets.tls",
              configType: {
                case: "typedConfig",
                value: packed(DownstreamTlsContextSchema, { commonTlsContext: providers }),
              },
            },
          },
        ],
      });
    expect(problems(chain({ tlsCertificateProviderInstance: { instanceName: "own" } }))).toEqual([]);
    expect(problems(chain({}))).toEqual(["certificate_provider_missing refused"]);
  });
});

function at(priority: number, ...members: Parameters<typeof locality>): LocalityLbEndpoints {
  return { ...locality(...members), priority };
}

function weighted(loadBalancingWeight: number | undefined): LocalityLbEndpoints {
  const group = locality(endpointAt(loadBalancingWeight ?? 1));
  group.loadBalancingWeight = loadBalancingWeight;
  return group;
}

function withoutLocality(): LocalityLbEndpoints {
  const group = locality(endpointAt(1));
  group.locality = undefined;
  return group;
}

function withSecond(address: string): Parameters<typeof locality>[number] {
  const { hostIdentifier } = endpointAt(1);
  const additionalAddresses = [endpointAt(1, address).hostIdentifier.value];
  return { hostIdentifier: { ...hostIdentifier, value: { ...hostIdentifier.value, additionalAddresses } } };
}

function ofHealth(...statuses: (keyof typeof HealthStatus)[]): LocalityLbEndpoints {
  return locality(...statuses.map((status, port) => ({ ...endpointAt(port + 1), healthStatus: HealthStatus[status] })));
}

function inZone(zone: string, group: LocalityLbEndpoints): LocalityLbEndpoints {
  group.locality = create(LocalitySchema, { zone });
  return group;
}
