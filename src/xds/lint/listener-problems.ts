import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { FilterChain } from "../../gen/envoy/config/listener/v3/listener_components_pb.ts";
import type { Listener } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
  type HttpFilter,
} from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { DownstreamTlsContextSchema } from "../../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { isOwnStream } from "./cluster-problems.ts";
import { KNOWN_FILTERS, ROUTER } from "./known-filters.ts";
import { type Finding, refused, within } from "./proxyless-problem.ts";
import { tlsProblems } from "./tls-problems.ts";

/** What a proxyless client or an xDS-enabled server finds wrong with a listener, apart from inline routes. */
export function listenerProblems(listener: Listener): Finding[] {
  const found: Finding[] = [];
  if (listener.listenerFilters.length > 0) {
    found.push(refused("listener_filters", "listener_filters_set", "Only proxies have listener filters."));
  }
  if (listener.useOriginalDst === true) {
    found.push(refused("use_original_dst", "original_dst_set", "Only proxies can use the original destination."));
  }
  const api = listener.apiListener?.apiListener;
  const chains = listener.defaultFilterChain
    ? [...listener.filterChains, listener.defaultFilterChain]
    : listener.filterChains;
  if (!api && chains.length === 0) {
    const why = "A client needs an api_listener; a server needs filter chains.";
    found.push(refused("api_listener", "api_listener_missing", why));
  }
  if (api) found.push(...within("api_listener", managerProblems(api)));
  for (const [index, chain] of chains.entries()) {
    found.push(...within(`filter_chains[${index}]`, chainProblems(chain)));
  }
  return found;
}

/** The connection manager of a client's listener. */
export function apiManager(listener: Listener): HttpConnectionManager | undefined {
  const api = listener.apiListener?.apiListener;
  return api && anyUnpack(api, HttpConnectionManagerSchema);
}

function chainProblems({ filters, transportSocket }: FilterChain): Finding[] {
  const config = filters[0]?.configType;
  const any = config?.case === "typedConfig" ? config.value : undefined;
  const found =
    filters.length === 1 && any
      ? managerProblems(any)
      : [refused("filters", "http_manager_missing", "A chain has exactly one filter, an HTTP connection manager.")];
  if (!transportSocket) return found;
  const socket = transportSocket.configType.value;
  const context = socket && anyUnpack(socket, DownstreamTlsContextSchema);
  return [...found, ...tlsProblems(transportSocket.name, context, "presents")];
}

function managerProblems(any: Any): Finding[] {
  const manager = anyUnpack(any, HttpConnectionManagerSchema);
  if (!manager) return [refused("type_url", "http_manager_missing", "Only an HTTP connection manager is known here.")];
  return [...routeSourceProblems(manager), ...filterProblems(manager.httpFilters), ...hopProblems(manager)];
}

function routeSourceProblems({ routeSpecifier: routes }: HttpConnectionManager): Finding[] {
  if (routes.case === "routeConfig") return [];
  if (routes.case !== "rds") {
    return [refused("route_specifier", "route_source_unknown", "Routes must be inline or come over RDS.")];
  }
  if (isOwnStream(routes.value.configSource)) return [];
  const why = "Routes must come over the same stream: `ads` or `self`.";
  return [refused("rds.config_source", "config_source_not_own", why)];
}

function filterProblems(filters: readonly HttpFilter[]): Finding[] {
  const found: Finding[] = [];
  const names = new Set<string>();
  filters.forEach(({ name, configType, isOptional }, index) => {
    const field = `http_filters[${index}]`;
    if (names.has(name)) found.push(refused(`${field}.name`, "filter_repeated", `Two filters are named ${name}.`));
    names.add(name);
    const type = configType.case === "typedConfig" ? configType.value.typeUrl : "";
    if (type === ROUTER && index < filters.length - 1) {
      found.push(refused(field, "router_not_last", "The Router must be the last filter."));
    } else if (!KNOWN_FILTERS.has(type) && !isOptional) {
      const why = `The filter ${name} is not known to gRPC; mark it optional, or leave it out.`;
      found.push(refused(field, "filter_unknown", why));
    }
  });
  const last = filters.at(-1)?.configType;
  if (last?.case !== "typedConfig" || last.value.typeUrl !== ROUTER) {
    found.push(refused("http_filters", "router_not_last", "The last filter must be the Router."));
  }
  return found;
}

function hopProblems({
  xffNumTrustedHops,
  originalIpDetectionExtensions: detection,
}: HttpConnectionManager): Finding[] {
  const found: Finding[] = [];
  if (xffNumTrustedHops !== 0) found.push(refused("xff_num_trusted_hops", "trusted_hops_set", "It must be 0."));
  if (detection.length > 0) {
    found.push(refused("original_ip_detection_extensions", "ip_detection_set", "It must be empty."));
  }
  return found;
}
