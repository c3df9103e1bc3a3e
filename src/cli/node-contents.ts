import type { JsonValue } from "@bufbuild/protobuf";
import type { Node, NodeResource } from "../gen/fairlead/admin/v1/node_pb.ts";
import { jsonChanges } from "../schema/field-changes.ts";
import { jsonText } from "./data-text.ts";
import { cellText } from "./table.ts";

/** A resource as it was sent to a proxy. */
interface SentResource {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly state: string;
  /** Absent when nothing was sent on the open stream, or when it would be too large. */
  readonly content?: JsonValue;
}

/** Everything that a proxy was sent, as data. */
export function sentResources(node: Node): readonly SentResource[] {
  return node.types.flatMap(({ type, resources }) =>
    resources.map((resource) => ({
      type,
      name: resource.name,
      version: resource.versionSent,
      state: resourceState(resource),
      ...(resource.content !== "" && { content: readJson(resource.content) }),
    })),
  );
}

/** What became of a resource, in a few words and those of the proxy. */
export function resourceState(resource: NodeResource): string {
  const { refusal, unknown, held, versionSent, versionAcknowledged } = resource;
  if (isRefused(resource)) return `REFUSED: ${refusal}`;
  if (held !== "") return `held: ${held}`;
  if (unknown) return "unknown: it was in a response that was refused";
  return versionSent === versionAcknowledged ? "ack" : "sent";
}

export function isRefused({ refusal, versionRefused }: NodeResource): boolean {
  return versionRefused !== "" || refusal !== "";
}

/** The differences between what two proxies were sent, resource by resource, one line each. */
export function differenceLines(a: Node, b: Node): string[] {
  const [ofA, ofB] = [byKey(a), byKey(b)];
  const lines = [...new Set([...ofA.keys(), ...ofB.keys()])].flatMap((key) => {
    const [one, other] = [ofA.get(key), ofB.get(key)];
    if (one === undefined || other === undefined)
      return `  ${key}  only at ${cellText(one === undefined ? b.id : a.id)}`;
    if (one.version === other.version) return [];
    if (one.content === undefined || other.content === undefined)
      return `  ${key}  differs; what was sent is not known`;
    const changes = jsonChanges(one.content, other.content);
    return [`  ${key}`, ...changes.map(({ path, from, to }) => `    ${path}  ${valueText(from)} → ${valueText(to)}`)];
  });
  return lines.length === 0 ? [`  ${cellText(a.id)} and ${cellText(b.id)} were sent the same`] : lines;
}

/** Returns text that is not JSON unchanged. */
function readJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function byKey(node: Node): ReadonlyMap<string, SentResource> {
  return new Map(sentResources(node).map((resource) => [cellText(`${resource.type} ${resource.name}`), resource]));
}

function valueText(value: JsonValue | undefined): string {
  return value === undefined ? "(none)" : jsonText(value).trimEnd();
}
