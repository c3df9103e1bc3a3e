import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { TypedExtensionConfigSchema } from "../../gen/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import { VirtualHostSchema } from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import { ScopedRouteConfigurationSchema } from "../../gen/envoy/config/route/v3/scoped_route_pb.ts";
import { SecretSchema } from "../../gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import { RuntimeSchema } from "../../gen/envoy/service/runtime/v3/rtds_pb.ts";
import type { Resource, ResourceKey } from "../protocol/resource.ts";
import { canonicalName } from "../protocol/resource-name.ts";
import { contentHash, formatVersion } from "./content-version.ts";
import { referencesOf } from "./references.ts";
import { encodeFragments, type ResourceFragments } from "./wire.ts";

/** A resource as ready bytes. */
export type ResourceBytes = {
  readonly typeUrl: string;
  readonly name: string;
  /** The value of the `Any`; undefined says "there is nothing under this name" where the type has such a form (VHDS). */
  readonly body: Uint8Array | undefined;
  /** Instead of the content's hash; who gives it owns monotony. */
  readonly version?: string;
  /** Instead of what the body says, which is read for the types that Envoy knows. */
  readonly references?: readonly ResourceKey[];
  readonly aliases?: readonly string[];
  readonly ttlMs?: number;
};

/** A protobuf-es message of a type that xDS serves, bytes, or one prepared before. */
export type ResourceInput = Message | ResourceBytes | CachedResource;

/** A resource that is encoded once and shared by all groups and streams. Its body must not be changed afterwards. */
export class CachedResource implements Resource {
  readonly typeUrl: string;
  readonly name: string;
  readonly version: string;
  readonly hash: bigint;
  readonly references: readonly ResourceKey[];
  readonly aliases: readonly string[];
  readonly ttlMs: number | undefined;
  readonly body: Uint8Array | undefined;
  readonly bytes: number;
  #fragments: ResourceFragments | undefined;

  constructor(input: ResourceBytes) {
    this.typeUrl = input.typeUrl;
    this.name = canonicalName(input.name);
    this.body = input.body;
    this.aliases = (input.aliases ?? []).map(canonicalName);
    this.ttlMs = input.ttlMs;
    this.hash = hashOf(this.name, input);
    this.version = input.version ?? formatVersion(this.hash);
    this.references = input.references ?? (input.body ? referencesOf(input.typeUrl, input.body) : []);
    const names = this.name.length + this.version.length + this.aliases.reduce((sum, { length }) => sum + length, 0);
    this.bytes = (input.body?.length ?? 0) + this.typeUrl.length + names + 64;
  }

  /** This resource as the field `resources` of a delta response. */
  get deltaField(): Uint8Array {
    return this.#encoded().deltaField;
  }

  /** This resource as the field `resources` of a SotW response. */
  get sotwField(): Uint8Array {
    return this.#encoded().sotwField;
  }

  #encoded(): ResourceFragments {
    this.#fragments ??= encodeFragments(this);
    return this.#fragments;
  }
}

/**
 * Encodes a resource, so that several groups can share it.
 *
 * @throws TypeError when a message is of no type that xDS serves
 */
export function prepareResource(input: ResourceInput): CachedResource {
  if (input instanceof CachedResource) return input;
  if (!("$typeName" in input)) return new CachedResource(input);
  const known = SERVED.get(input.$typeName);
  if (!known) throw new TypeError(`xDS does not serve ${input.$typeName}: give its bytes, with type URL and name`);
  const name = (input as unknown as Record<string, unknown>)[known.nameField];
  return new CachedResource({
    typeUrl: `type.googleapis.com/${input.$typeName}`,
    name: String(name),
    body: toBinary(known.schema, input),
  });
}

const SERVED: ReadonlyMap<string, { schema: DescMessage; nameField: string }> = new Map(
  [
    ClusterSchema,
    ClusterLoadAssignmentSchema,
    ListenerSchema,
    RouteConfigurationSchema,
    ScopedRouteConfigurationSchema,
    VirtualHostSchema,
    SecretSchema,
    RuntimeSchema,
    TypedExtensionConfigSchema,
  ].map((schema: DescMessage) => {
    const nameField = schema === ClusterLoadAssignmentSchema ? "clusterName" : "name";
    return [schema.typeName, { schema, nameField }];
  }),
);

/** What decides equality: the content, and whatever else a client is told about it. */
function hashOf(name: string, { typeUrl, body, version, aliases = [], ttlMs }: ResourceBytes): bigint {
  const content = contentHash(typeUrl, name, body ?? new Uint8Array());
  if (body && version === undefined && aliases.length === 0 && ttlMs === undefined) return content;
  const told = JSON.stringify([content.toString(16), body !== undefined, version, aliases, ttlMs]);
  return contentHash(typeUrl, name, Buffer.from(told));
}
