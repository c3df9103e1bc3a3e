import type { JsonObject } from "@bufbuild/protobuf";
import { FieldReader } from "./field-reader.ts";
import { type ByteBound, checkBytes, LimitMet } from "./limit-met.ts";
import type { XdsLimits } from "./limits.ts";
import { readStruct } from "./read-struct.ts";

/** What a client says about itself in `core.v3.Node`; the extensions (most of the node's 60 KB) are not read. */
export type NodeIdentity = {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: JsonObject;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  readonly userAgentName: string;
  /** `1.40.0`, or what the client gave as free text. */
  readonly userAgentVersion: string;
  readonly clientFeatures: readonly string[];
};

/** A client that has said nothing about itself yet. */
export const ANONYMOUS: NodeIdentity = {
  id: "",
  cluster: "",
  metadata: {},
  locality: { region: "", zone: "", subZone: "" },
  userAgentName: "",
  userAgentVersion: "",
  clientFeatures: [],
};

type NodeLimits = Pick<XdsLimits, "maxNodeTextBytes" | "maxNodeMetadataBytes" | "maxNodeValues">;

/**
 * Decodes a `core.v3.Node`. The result shares no memory with the bytes.
 *
 * @throws LimitMet, or UnreadableBytes
 */
export function readNode(bytes: Buffer, limits: NodeLimits): NodeIdentity {
  const features: string[] = [];
  const node: { -readonly [Field in keyof NodeIdentity]: NodeIdentity[Field] } = {
    ...ANONYMOUS,
    clientFeatures: features,
  };
  const bound = textBound(limits);
  const reader = new FieldReader(bytes);
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) node.id = reader.textWithin(bound, "node.id");
    else if (field === 2) node.cluster = reader.textWithin(bound, "node.cluster");
    else if (field === 3) node.metadata = readMetadata(reader.bytes(), limits);
    else if (field === 4) node.locality = readLocality(reader.bytes(), bound);
    else if (field === 6) node.userAgentName = reader.textWithin(bound, "node.user_agent_name");
    else if (field === 7) node.userAgentVersion = reader.textWithin(bound, "node.user_agent_version");
    else if (field === 8) node.userAgentVersion = readBuildVersion(reader.bytes());
    else if (field === 10) addFeature(features, reader.textWithin(bound, "node.client_features"), limits);
    else reader.skip();
  }
  return node;
}

/** Reads only the id of a `core.v3.Node`. Clients write it first, so the rest of a repeated node is not even skipped. */
export function readNodeId(bytes: Buffer, limits: NodeLimits): string {
  const reader = new FieldReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) return reader.textWithin(textBound(limits), "node.id");
    reader.skip();
  }
  return "";
}

/** Unlike Envoy, proxyless gRPC libraries take at most 4 MiB in a message, and take a response partly (xds R29). */
export function isGrpcClient(node: NodeIdentity): boolean {
  return node.userAgentName.toLowerCase().startsWith("grpc");
}

/** Whether a client says that it is Envoy, or does not say what it is. */
export function mayBeEnvoy({ userAgentName }: NodeIdentity): boolean {
  return userAgentName === "" || userAgentName === "envoy";
}

/**
 * Envoy announces no features but honours a TTL in delta all the same; in SotW a TTL needs a wrapped resource, which
 * may be sent only to a client that announces both features (xds R10).
 */
export function honoursTtl(node: NodeIdentity, variant: "sotw" | "delta"): boolean {
  if (variant === "delta") return node.userAgentName === "envoy";
  const has = (feature: string) => node.clientFeatures.some((each) => each.endsWith(feature));
  return has("config.supports-resource-ttl") && has("config.supports-resource-in-sotw");
}

function textBound({ maxNodeTextBytes }: NodeLimits): ByteBound {
  return { limit: "maxNodeTextBytes", most: maxNodeTextBytes };
}

function readMetadata(bytes: Buffer, { maxNodeMetadataBytes, maxNodeValues }: NodeLimits): JsonObject {
  checkBytes({ limit: "maxNodeMetadataBytes", most: maxNodeMetadataBytes }, "node.metadata", bytes.length);
  let values = 0;
  return readStruct(bytes, () => {
    values++;
    if (values > maxNodeValues) throw tooMany("node.metadata", values, maxNodeValues);
  });
}

function addFeature(features: string[], feature: string, { maxNodeValues }: NodeLimits): void {
  features.push(feature);
  if (features.length > maxNodeValues) throw tooMany("node.client_features", features.length, maxNodeValues);
}

function tooMany(field: string, values: number, most: number): LimitMet {
  return new LimitMet("maxNodeValues", `${field} has ${values.toLocaleString("en")} or more values`, most);
}

function readLocality(bytes: Buffer, bound: ByteBound): NodeIdentity["locality"] {
  const locality = { ...ANONYMOUS.locality };
  const reader = new FieldReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) locality.region = reader.textWithin(bound, "node.locality.region");
    else if (reader.field === 2) locality.zone = reader.textWithin(bound, "node.locality.zone");
    else if (reader.field === 3) locality.subZone = reader.textWithin(bound, "node.locality.sub_zone");
    else reader.skip();
  }
  return locality;
}

/** `BuildVersion.version` is a `SemanticVersion` of three numbers. */
function readBuildVersion(bytes: Buffer): string {
  const reader = new FieldReader(bytes);
  let version = "";
  while (reader.next()) {
    if (reader.field === 1) version = readSemanticVersion(reader.bytes());
    else reader.skip();
  }
  return version;
}

function readSemanticVersion(bytes: Buffer): string {
  const numbers = [0, 0, 0];
  const reader = new FieldReader(bytes);
  while (reader.next()) {
    if (reader.field <= 3) numbers[reader.field - 1] = reader.uint32();
    else reader.skip();
  }
  return numbers.join(".");
}
