import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ClientResourceStatus, UpdateFailureStateSchema } from "../../gen/envoy/admin/v3/config_dump_shared_pb.ts";
import {
  type ClientConfig,
  type ClientConfig_GenericXdsConfig,
  ClientConfig_GenericXdsConfigSchema,
  ClientConfigSchema,
  type ClientStatusRequest,
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
  ConfigStatus,
} from "../../gen/envoy/service/status/v3/csds_pb.ts";
import type { StringMatcher } from "../../gen/envoy/type/matcher/v3/string_pb.ts";
import { SECRET_TYPE } from "../protocol/resource-types.ts";
import type { TypeState } from "../protocol/type-state.ts";
import type { ClientStatus, ResourceStatus, TypeStatus } from "./client-status.ts";
import { type Peer, peerOf } from "./peer.ts";

/** What the service needs to know of a stream. */
export interface StatusSource {
  describe(): ClientStatus;
  typeState(typeUrl: string): TypeState | undefined;
}

type Handlers = {
  readonly sources: () => Iterable<StatusSource>;
  /** Who may ask: the answer shows the configuration of every client. */
  readonly mayAsk: (peer: Peer) => boolean;
};

/**
 * The client status discovery service (CSDS): what each connected client was sent, accepted and refused. Contents of
 * secrets are never part of it.
 */
export function clientStatusService(handlers: Handlers): [ServiceDefinition, UntypedServiceImplementation] {
  const fetch: handleUnaryCall<ClientStatusRequest, ClientStatusResponse> = (call, reply) => {
    const denied = deny(handlers, peerOf(call));
    if (denied) {
      reply(denied);
      return;
    }
    const [refused, response] = answer(handlers, call.request);
    reply(refused, response);
  };
  const stream: handleBidiStreamingCall<ClientStatusRequest, ClientStatusResponse> = (call) => {
    const denied = deny(handlers, peerOf(call));
    if (denied) {
      call.emit("error", denied);
      return;
    }
    call.on("data", (request: ClientStatusRequest) => {
      const [refused, response] = answer(handlers, request);
      if (response) call.write(response);
      else call.emit("error", refused);
    });
    call.on("end", () => call.end());
  };
  return [
    { FetchClientStatus: method("FetchClientStatus", false), StreamClientStatus: method("StreamClientStatus", true) },
    { FetchClientStatus: fetch, StreamClientStatus: stream },
  ];
}

type Refusal = { readonly code: status; readonly details: string };

function deny({ mayAsk }: Handlers, peer: Peer): Refusal | undefined {
  if (mayAsk(peer)) return undefined;
  return { code: status.PERMISSION_DENIED, details: "this client may not read the status of others" };
}

function answer(
  { sources }: Handlers,
  request: ClientStatusRequest,
): [Refusal, undefined] | [null, ClientStatusResponse] {
  const matchers = request.nodeMatchers.map(({ nodeId }) => nodeId);
  const unsupported = request.nodeMatchers.some(
    ({ nodeId, nodeMetadatas }) => nodeMetadatas.length > 0 || !isSupported(nodeId),
  );
  if (unsupported) {
    const details = "nodes can be selected by id only: exact, prefix, suffix or contains";
    return [{ code: status.INVALID_ARGUMENT, details }, undefined];
  }
  const config: ClientConfig[] = [];
  for (const source of sources()) {
    const client = source.describe();
    const matches = matchers.length === 0 || matchers.some((matcher) => isMatch(matcher, client.node.id));
    if (matches) config.push(describeClient(source, client, request.excludeResourceContents));
  }
  return [null, create(ClientStatusResponseSchema, { config })];
}

function describeClient(source: StatusSource, client: ClientStatus, withoutContents: boolean): ClientConfig {
  const { node, method: path, streamId, types } = client;
  return create(ClientConfigSchema, {
    node: {
      id: node.id,
      cluster: node.cluster,
      userAgentName: node.userAgentName,
      userAgentVersionType: { case: "userAgentVersion", value: node.userAgentVersion },
      locality: node.locality,
    },
    clientScope: `${path} ${streamId}`,
    genericXdsConfigs: types.flatMap((type) => {
      const state = source.typeState(type.typeUrl);
      const hides = withoutContents || type.typeUrl === SECRET_TYPE;
      return type.resources.map((resource) => describeResource(type, resource, hides ? undefined : state));
    }),
  });
}

function describeResource(
  type: TypeStatus,
  resource: ResourceStatus,
  state: TypeState | undefined,
): ClientConfig_GenericXdsConfig {
  const { typeUrl } = type;
  const { name, refused } = resource;
  const known = state?.sent.get(name);
  const body = known && "body" in known && known.body instanceof Uint8Array ? known.body : undefined;
  return create(ClientConfig_GenericXdsConfigSchema, {
    typeUrl,
    name,
    versionInfo: resource.acked ?? "",
    configStatus: configStatusOf(resource),
    clientStatus: clientStatusOf(resource),
    ...(body && { xdsConfig: { typeUrl, value: body } }),
    ...(refused && {
      errorState: create(UpdateFailureStateSchema, {
        details: refused.message,
        versionInfo: refused.version,
        lastUpdateAttempt: timestampFromMs(refused.at),
      }),
    }),
  });
}

function configStatusOf({ refused, inFlight, held, waitsFor, sent }: ResourceStatus): ConfigStatus {
  if (refused) return ConfigStatus.ERROR;
  if (inFlight || held !== undefined || waitsFor) return ConfigStatus.STALE;
  return sent === undefined ? ConfigStatus.NOT_SENT : ConfigStatus.SYNCED;
}

function clientStatusOf({ refused, inFlight, acked }: ResourceStatus): ClientResourceStatus {
  if (refused) return ClientResourceStatus.NACKED;
  if (inFlight) return ClientResourceStatus.REQUESTED;
  return acked === undefined ? ClientResourceStatus.DOES_NOT_EXIST : ClientResourceStatus.ACKED;
}

function isSupported(matcher: StringMatcher | undefined): boolean {
  const kind = matcher?.matchPattern.case;
  return kind === "exact" || kind === "prefix" || kind === "suffix" || kind === "contains";
}

function isMatch(matcher: StringMatcher | undefined, id: string): boolean {
  const pattern = matcher?.matchPattern;
  const fold = (text: string) => (matcher?.ignoreCase ? text.toLowerCase() : text);
  if (pattern?.case === "exact") return fold(id) === fold(pattern.value);
  if (pattern?.case === "prefix") return fold(id).startsWith(fold(pattern.value));
  if (pattern?.case === "suffix") return fold(id).endsWith(fold(pattern.value));
  return pattern?.case === "contains" && fold(id).includes(fold(pattern.value));
}

function method(name: string, streams: boolean): ServiceDefinition[string] {
  return {
    path: `/envoy.service.status.v3.ClientStatusDiscoveryService/${name}`,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: (request: ClientStatusRequest) => Buffer.from(toBinary(ClientStatusRequestSchema, request)),
    requestDeserialize: (bytes: Buffer) => fromBinary(ClientStatusRequestSchema, bytes),
    responseSerialize: (response: ClientStatusResponse) => Buffer.from(toBinary(ClientStatusResponseSchema, response)),
    responseDeserialize: (bytes: Buffer) => fromBinary(ClientStatusResponseSchema, bytes),
  };
}
