import { fromBinary, type JsonObject, toJson } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { StructSchema } from "@bufbuild/protobuf/wkt";

/** What a client says of itself in `core.v3.Node`; its extensions (most of its 60 KB) are not read. */
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

/** Decodes a `core.v3.Node`. */
export function readNode(bytes: Uint8Array): NodeIdentity {
  const node = {
    id: "",
    cluster: "",
    metadata: {} as JsonObject,
    locality: { region: "", zone: "", subZone: "" },
    userAgentName: "",
    userAgentVersion: "",
    clientFeatures: [] as string[],
  };
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) node.id = reader.string();
    else if (field === 2) node.cluster = reader.string();
    else if (field === 3) node.metadata = readMetadata(reader.bytes());
    else if (field === 4) node.locality = readLocality(reader.bytes());
    else if (field === 6) node.userAgentName = reader.string();
    else if (field === 7) node.userAgentVersion = reader.string();
    else if (field === 8) node.userAgentVersion = readBuildVersion(reader.bytes());
    else if (field === 10) node.clientFeatures.push(reader.string());
    else reader.skip(type, field);
  }
  return node;
}

/** Only the id of a `core.v3.Node`. Clients write it first, so that the rest of a repeated node is not even skipped. */
export function readNodeId(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) return reader.string();
    reader.skip(type, field);
  }
  return "";
}

/** Proxyless gRPC libraries take at most 4 MiB in a message, unlike Envoy. */
export function isGrpcClient(node: NodeIdentity): boolean {
  return node.userAgentName.toLowerCase().startsWith("grpc");
}

/**
 * Envoy announces no features and honours a TTL in delta all the same; in SotW a TTL needs the resource wrapped, which
 * only a client that announces both may be sent (R10).
 */
export function honoursTtl(node: NodeIdentity, variant: "sotw" | "delta"): boolean {
  if (variant === "delta") return node.userAgentName === "envoy";
  const has = (feature: string) => node.clientFeatures.some((each) => each.endsWith(feature));
  return has("config.supports-resource-ttl") && has("config.supports-resource-in-sotw");
}

function readMetadata(bytes: Uint8Array): JsonObject {
  const json = toJson(StructSchema, fromBinary(StructSchema, bytes));
  return typeof json === "object" && json !== null && !Array.isArray(json) ? json : {};
}

function readLocality(bytes: Uint8Array): NodeIdentity["locality"] {
  const fields = readStrings(bytes);
  return { region: fields.get(1) ?? "", zone: fields.get(2) ?? "", subZone: fields.get(3) ?? "" };
}

/** `BuildVersion.version` is a `SemanticVersion` of three numbers. */
function readBuildVersion(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes);
  let version = "";
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field !== 1) {
      reader.skip(type, field);
      continue;
    }
    const numbers = [0, 0, 0];
    const inner = new BinaryReader(reader.bytes());
    while (inner.pos < inner.len) {
      const [part, wire] = inner.tag();
      if (part >= 1 && part <= 3) numbers[part - 1] = inner.uint32();
      else inner.skip(wire, part);
    }
    version = numbers.join(".");
  }
  return version;
}

function readStrings(bytes: Uint8Array): Map<number, string> {
  const reader = new BinaryReader(bytes);
  const strings = new Map<number, string>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) strings.set(field, reader.string());
    else reader.skip(type, field);
  }
  return strings;
}
