import { createRegistry, fromBinary, fromJson, type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import { RouterSchema } from "../../gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { TcpProxySchema } from "../../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import { LeastRequestSchema } from "../../gen/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.ts";
import { MaglevSchema } from "../../gen/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.ts";
import { RandomSchema } from "../../gen/envoy/extensions/load_balancing_policies/random/v3/random_pb.ts";
import { RingHashSchema } from "../../gen/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.ts";
import { RoundRobinSchema } from "../../gen/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.ts";
import { PreviousHostsPredicateSchema } from "../../gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { HttpProtocolOptionsSchema } from "../../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import { TypedStructSchema } from "../../gen/xds/type/v3/typed_struct_pb.ts";
import { SECRET_TYPE } from "../protocol/resource-types.ts";
import { type CachedResource, prepareResource } from "./cached-resource.ts";
import { SERVED_MESSAGES } from "./served-messages.ts";

/** Types allowed directly in an `Any`; other extensions go in a `TypedStruct`, which Envoy turns into the type it names. */
const EXTENSIONS = createRegistry(
  RouterSchema,
  HttpConnectionManagerSchema,
  TcpProxySchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
  TypedStructSchema,
);

/** Fields of Envoy's API that hold secrets, by their JSON names. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "privateKey",
  "pkcs12",
  "password",
  "sessionTicketKeys",
  "genericSecret",
  "tokenSecret",
  "hmacSecret",
  "secret",
]);
const WITHHELD = "(withheld)";

/** Those, and the ones that resources derived here hold. */
const SHOWN = createRegistry(
  EXTENSIONS,
  HttpProtocolOptionsSchema,
  PreviousHostsPredicateSchema,
  LeastRequestSchema,
  MaglevSchema,
  RandomSchema,
  RingHashSchema,
  RoundRobinSchema,
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

/**
 * What a resource holds, in JSON as Envoy's documentation shows it, for people. Secrets are withheld; so is a resource with
 * an extension that is not known here, since nobody can tell where it has a secret.
 */
export function resourceJson(typeUrl: string, name: string, body: Uint8Array): JsonValue {
  if (typeUrl === SECRET_TYPE) return { name, withheld: "secrets are not shown" };
  const served = SERVED_MESSAGES.get(typeUrl.slice(typeUrl.indexOf("/") + 1));
  if (!served) return { name, withheld: "its type is unknown" };
  try {
    const message: Message = fromBinary(served.schema, body);
    return withoutSecrets(toJson(served.schema, message, { registry: SHOWN }));
  } catch (thrown) {
    return { name, withheld: `not shown: ${thrown instanceof Error ? thrown.message : String(thrown)}` };
  }
}

function withoutSecrets(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET_FIELDS.has(key) ? WITHHELD : withoutSecrets(inner)]),
  );
}
