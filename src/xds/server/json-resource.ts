import { createRegistry, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { RouterSchema } from "../../gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { TcpProxySchema } from "../../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { TypedStructSchema } from "../../gen/xds/type/v3/typed_struct_pb.ts";
import { type CachedResource, prepareResource } from "./cached-resource.ts";
import { SERVED_MESSAGES } from "./served-messages.ts";

/** Types allowed directly in an `Any`; other extensions go in a `TypedStruct`, which Envoy turns into the type it names. */
export const EXTENSIONS = createRegistry(
  RouterSchema,
  HttpConnectionManagerSchema,
  TcpProxySchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
  TypedStructSchema,
);

/**
 * Makes a resource from JSON as Envoy's documentation shows it. Extensions other than the HTTP connection manager, the
 * Router, the TCP proxy and the TLS contexts are written as `xds.type.v3.TypedStruct`, with `typeUrl` and `value`.
 *
 * @throws TypeError for a type that xDS does not serve
 * @throws Error for JSON that is not of that type
 */
export function resourceFromJson(typeUrl: string, json: JsonValue): CachedResource {
  const served = SERVED_MESSAGES.get(typeUrl.slice(typeUrl.indexOf("/") + 1));
  if (!served) throw new TypeError(`xDS does not serve ${typeUrl}`);
  return prepareResource(fromJson(served.schema, json, { registry: EXTENSIONS }));
}
