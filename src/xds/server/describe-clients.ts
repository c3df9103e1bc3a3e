import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ClientResourceStatus, UpdateFailureStateSchema } from "../../gen/envoy/admin/v3/config_dump_shared_pb.ts";
import {
  type ClientConfig,
  type ClientConfig_GenericXdsConfig,
  ClientConfig_GenericXdsConfigSchema,
  ClientConfigSchema,
  type ClientStatusRequest,
  ConfigStatus,
} from "../../gen/envoy/service/status/v3/csds_pb.ts";
import type { StringMatcher } from "../../gen/envoy/type/matcher/v3/string_pb.ts";
import type { Clock } from "../../runtime/clock.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import { nextTurn } from "../../runtime/next-turn.ts";
import type { ResourceHolding } from "../protocol/resource-holding.ts";
import { SECRET_TYPE } from "../protocol/resource-types.ts";
import type { ClientStatus } from "./client-status.ts";
import { LimitMet } from "./limit-met.ts";

/** How long clients are described before other work gets its turn of the event loop. */
const SHARE_MS = 10;
const CONFIG_FIELD = 1;

/** Whether clients can be selected in the way that the request asks for. */
export function isSupported({ nodeMatchers }: ClientStatusRequest): boolean {
  return nodeMatchers.every(
    ({ nodeId, nodeMetadatas }) =>
      nodeMetadatas.length === 0 && PATTERNS[nodeId?.matchPattern.case ?? ""] !== undefined,
  );
}

/**
 * Describes the clients that a request selects, each as it is when its turn comes. Returns an encoded
 * `ClientStatusResponse` in pieces.
 *
 * @throws LimitMet when it would be too large
 */
export async function describeClients(
  streams: Iterable<{ describe(): ClientStatus }>,
  request: ClientStatusRequest,
  { clock, maxStatusBytes }: { readonly clock: Clock; readonly maxStatusBytes: number },
): Promise<Uint8Array[]> {
  const matchers = request.nodeMatchers.map(({ nodeId }) => nodeId);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let began = clock.monotonic();
  for (const stream of [...streams]) {
    const client = stream.describe();
    if (matchers.length > 0 && !matchers.some((matcher) => isMatch(matcher, client.node.id))) continue;
    const config = toBinary(ClientConfigSchema, describeClient(client, request.excludeResourceContents));
    const head = new BinaryWriter().tag(CONFIG_FIELD, WireType.LengthDelimited).uint32(config.length).finish();
    pieces.push(head, config);
    bytes += head.length + config.length;
    if (bytes > maxStatusBytes) {
      const what = `the status of ${(pieces.length / 2).toLocaleString("en")} clients has ${bytes.toLocaleString("en")} bytes`;
      throw new LimitMet("maxStatusBytes", `${what}: select nodes by id, or exclude contents`, maxStatusBytes);
    }
    if (clock.monotonic() - began < SHARE_MS) continue;
    await new Promise<void>((resolve) => nextTurn(resolve));
    began = clock.monotonic();
  }
  return pieces;
}

function describeClient({ node, method, streamId, types }: ClientStatus, withoutContents: boolean): ClientConfig {
  return create(ClientConfigSchema, {
    node: {
      id: node.id,
      cluster: node.cluster,
      userAgentName: node.userAgentName,
      userAgentVersionType: { case: "userAgentVersion", value: node.userAgentVersion },
      locality: node.locality,
    },
    clientScope: `${method} ${streamId}`,
    genericXdsConfigs: types.flatMap((type) => {
      const hides = withoutContents || type.typeUrl === SECRET_TYPE;
      return type.resources.map((resource) =>
        describeResource(type.typeUrl, resource, hides ? undefined : type.body(resource.name)),
      );
    }),
  });
}

function describeResource(
  typeUrl: string,
  resource: ResourceHolding,
  body: Uint8Array | undefined,
): ClientConfig_GenericXdsConfig {
  const { name, refused } = resource;
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
        lastUpdateAttempt: instantOfMs(refused.at),
      }),
    }),
  });
}

function configStatusOf({ refused, inFlight, held, waitsFor, sent }: ResourceHolding): ConfigStatus {
  if (refused) return ConfigStatus.ERROR;
  if (inFlight || held !== undefined || waitsFor) return ConfigStatus.STALE;
  return sent === undefined ? ConfigStatus.NOT_SENT : ConfigStatus.SYNCED;
}

function clientStatusOf({ refused, inFlight, acked }: ResourceHolding): ClientResourceStatus {
  if (refused) return ClientResourceStatus.NACKED;
  if (inFlight) return ClientResourceStatus.REQUESTED;
  return acked === undefined ? ClientResourceStatus.DOES_NOT_EXIST : ClientResourceStatus.ACKED;
}

const PATTERNS: { readonly [Case in string]?: (id: string, wanted: string) => boolean } = {
  exact: (id, wanted) => id === wanted,
  prefix: (id, wanted) => id.startsWith(wanted),
  suffix: (id, wanted) => id.endsWith(wanted),
  contains: (id, wanted) => id.includes(wanted),
};

function isMatch(matcher: StringMatcher | undefined, id: string): boolean {
  const { case: kind = "", value } = matcher?.matchPattern ?? {};
  const fold = (text: string) => (matcher?.ignoreCase ? text.toLowerCase() : text);
  return typeof value === "string" && PATTERNS[kind]?.(fold(id), fold(value)) === true;
}
