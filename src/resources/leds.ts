import { createHash } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Backend } from "../domain/backend.ts";
import type { FleetBackends } from "../domain/fleet-backends.ts";
import type { LedsRecord } from "../domain/leds-record.ts";
import type { Name } from "../domain/name.ts";
import type { RoutedBackend, RoutingState } from "../domain/routing-state.ts";
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSourceSchema,
} from "../gen/envoy/config/core/v3/config_source_pb.ts";
import { ClusterLoadAssignmentSchema } from "../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ENDPOINT_TYPE, LEDS_TYPE } from "../xds/protocol/resource-types.ts";
import { type Part, partKey } from "./content.ts";
import { type EndpointGroup, groupEndpoints, groupKey } from "./endpoint-groups.ts";
import type { Memory } from "./memory.ts";
import { type Resource, resourceOf, resourceOfBytes } from "./resource.ts";
import { XDS_CLUSTER } from "./view.ts";

/**
 * A service's endpoints as collections (`xdstp://…/*`), one for each priority and locality: an assignment that names them
 * instead of endpoints, and changes with the collections, not with what is in them; and their members.
 *
 * The collections have the same names for all fleets. To a fleet's proxies, a member that the fleet leaves out is one that
 * departed: a proxy may hold it from before the fleet did so.
 */
export function deriveLeds(
  { routing, leftOut }: FleetBackends,
  { generation, departed }: LedsRecord,
  { profile, memory }: { readonly profile: number; readonly memory: Memory },
): Part {
  const { service } = routing;
  const root = rootOf(service, generation);
  const groups = groupEndpoints(routing, profile, memory);
  const assignment = assignmentOf(service, root, groups);
  const resources = new Map([[service, assignment]]);
  for (const group of groups) {
    const prefix = `${root}${pathOf(group.key)}/`;
    for (const { entry, bytes } of group.members) {
      const name = prefix + idOf(entry.backend);
      resources.set(name, memberOf(entry, { name, bytes, service }, memory));
    }
  }
  const gone = new Set([...departed, ...leftOut.map(({ backend }) => memberPath(backend))]);
  const names = new Set(Array.from(gone, (path) => root + path).filter((name) => !resources.has(name)));
  return {
    key: partKey(ENDPOINT_TYPE, service),
    resources,
    departed: { typeUrl: LEDS_TYPE, names, namedBy: assignment.version },
  };
}

/** The members of all collections of a service, as `GROUP/ID`: the ends of their names, which no generation changes. */
export function memberPaths(routing: RoutingState): ReadonlySet<string> {
  const paths = new Map<string, string>();
  const members = new Set<string>();
  for (const { backend, status } of routing.backends) {
    if (status === undefined) continue;
    const key = groupKey(backend);
    const path = paths.get(key) ?? pathOf(key);
    paths.set(key, path);
    members.add(`${path}/${idOf(backend)}`);
  }
  return members;
}

/** The path of a backend as a member, if proxies are told about it. */
export function memberPath(backend: Backend): string {
  return `${pathOf(groupKey(backend))}/${idOf(backend)}`;
}

/** A locality has no weight here: only Envoy reads this, and its clusters do not use it. */
function assignmentOf(service: Name, root: string, groups: readonly EndpointGroup[]): Resource {
  const collections = groups.map((group) => `${root}${pathOf(group.key)}/*`);
  const assignment = create(ClusterLoadAssignmentSchema, {
    clusterName: service,
    endpoints: groups.map(({ locality, level }, i) => ({
      locality,
      priority: level,
      lbConfig: {
        case: "ledsClusterLocalityConfig" as const,
        value: { ledsConfig: OWN_STREAM, ledsCollectionName: collections[i] ?? "" },
      },
    })),
  });
  return resourceOf(ClusterLoadAssignmentSchema, assignment, {
    name: service,
    references: collections.map((name) => ({ typeUrl: LEDS_TYPE, name })),
    objects: [{ kind: "service", name: service }],
  });
}

/**
 * A stream of its own for each collection: over the aggregated one, Envoy does not ask again for the collections of a
 * cluster that has changed. Envoy sends its node, which is 60 KB, only once on a stream.
 */
const OWN_STREAM: MessageInitShape<typeof ConfigSourceSchema> = {
  resourceApiVersion: ApiVersion.V3,
  configSourceSpecifier: {
    case: "apiConfigSource",
    value: {
      apiType: ApiConfigSource_ApiType.DELTA_GRPC,
      transportApiVersion: ApiVersion.V3,
      setNodeOnFirstMessageOnly: true,
      grpcServices: [{ targetSpecifier: { case: "envoyGrpc", value: { clusterName: XDS_CLUSTER } } }],
    },
  },
};

function memberOf(
  entry: RoutedBackend,
  { name, bytes, service }: { name: string; bytes: Uint8Array; service: Name },
  { members }: Memory,
): Resource {
  const known = members.get(entry);
  if (known?.bytes === bytes && known.resource.name === name) return known.resource;
  const resource = resourceOfBytes({ typeUrl: LEDS_TYPE, name }, bytes, {
    references: [],
    objects: [
      { kind: "service", name: service },
      { kind: "backend", name: entry.backend.name },
    ],
  });
  members.set(entry, { bytes, resource });
  return resource;
}

const MEMBERS = "xdstp://fairlead/envoy.config.endpoint.v3.LbEndpoint/";

function rootOf(service: Name, generation: string): string {
  return `${MEMBERS}${service}/${generation}/`;
}

/** The service that a member, or a whole collection, belongs to. */
export function serviceOfMember(name: string): Name | undefined {
  if (!name.startsWith(MEMBERS)) return undefined;
  return name.slice(MEMBERS.length).split("/").slice(0, -3).join("/");
}

/** Localities are free text, which names of this form are not. */
function pathOf(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 16);
}

function idOf({ name }: Backend): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
