import { create } from "@bufbuild/protobuf";
import { profileOf } from "../domain/fleet-profile.ts";
import type { HttpListener } from "../domain/listener.ts";
import type { State } from "../domain/state.ts";
import { HttpProtocolOptions_HeadersWithUnderscoresAction } from "../gen/envoy/config/core/v3/protocol_pb.ts";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { RouterSchema } from "../gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import {
  HttpConnectionManager_CodecType,
  HttpConnectionManager_PathWithEscapedSlashesAction,
  HttpConnectionManagerSchema,
} from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { ROUTE_TYPE } from "../xds/protocol/resource-types.ts";
import { ADS, duration, pack } from "./message-parts.ts";
import { type Resource, resourceOf } from "./resource.ts";

/** These follow Envoy's advice for proxies at the edge ("Configuring Envoy as an edge proxy"). */
const BUFFER_LIMIT_BYTES = 32_768;
const HTTP2 = { maxConcurrentStreams: 100, initialStreamWindowSize: 65_536, initialConnectionWindowSize: 1_048_576 };

/** A listener as the proxies of its fleet open it. */
export function deriveListener(state: State, listener: HttpListener): Resource {
  const { name, fleet, ip, port } = listener;
  const message = create(ListenerSchema, {
    name,
    address: {
      address: {
        case: "socketAddress",
        value: {
          address: ip,
          portSpecifier: { case: "portValue", value: port },
          ipv4Compat: ip === "::" && profileOf(state, fleet).anyAddressTakesBoth,
        },
      },
    },
    statPrefix: name,
    perConnectionBufferLimitBytes: BUFFER_LIMIT_BYTES,
    enableReusePort: true,
    filterChains: [{ name, filters: [networkFilter(listener)] }],
  });
  return resourceOf(ListenerSchema, message, {
    name,
    references: [{ typeUrl: ROUTE_TYPE, name }],
    objects: [{ kind: "listener", name }],
  });
}

function networkFilter(listener: HttpListener) {
  return {
    name: "envoy.filters.network.http_connection_manager",
    configType: { case: "typedConfig", value: connectionManager(listener) },
  } as const;
}

/** For HTTP/1.1 and HTTP/2. The routes are a resource of their own, so changing them drains nothing. */
function connectionManager(listener: HttpListener) {
  return pack(HttpConnectionManagerSchema, {
    statPrefix: listener.name,
    codecType: HttpConnectionManager_CodecType.AUTO,
    routeSpecifier: { case: "rds", value: { configSource: ADS, routeConfigName: listener.name } },
    httpFilters: [
      { name: "envoy.filters.http.router", configType: { case: "typedConfig", value: pack(RouterSchema, {}) } },
    ],
    commonHttpProtocolOptions: {
      idleTimeout: duration(listener.idleTimeoutMs),
      headersWithUnderscoresAction: HttpProtocolOptions_HeadersWithUnderscoresAction.REJECT_REQUEST,
    },
    http2ProtocolOptions: HTTP2,
    streamIdleTimeout: duration(listener.streamIdleTimeoutMs),
    requestHeadersTimeout: duration(listener.requestHeadersTimeoutMs),
    drainTimeout: duration(listener.drainTimeoutMs),
    useRemoteAddress: true,
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: HttpConnectionManager_PathWithEscapedSlashesAction.UNESCAPE_AND_REDIRECT,
    upgradeConfigs: [{ upgradeType: "websocket" }],
  });
}
