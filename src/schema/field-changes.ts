import type { JsonValue } from "@bufbuild/protobuf";
import type { Kind } from "../domain/name.ts";
import type { MessageOf } from "./kinds/registry.ts";
import { messageToJson } from "./object-json.ts";
import { descriptorOf, hasSecrets, outputOnly } from "./object-message.ts";
import { markSecrets } from "./secrets.ts";

/** One field that differs. A side is `undefined` when nothing was there, or the default. */
export interface FieldChange {
  /** `rules[0].to[1].weight` */
  readonly path: string;
  readonly from: JsonValue | undefined;
  readonly to: JsonValue | undefined;
}

/** What a client's write changes, field by field in message order; of a secret, only that it changes. No output-only fields. */
export function fieldChanges<K extends Kind>(kind: K, before: MessageOf[K], after: MessageOf[K]): FieldChange[] {
  const [from, to] = [specJson(kind, before), specJson(kind, after)];
  if (hasSecrets(kind)) markSecrets(descriptorOf(kind), from, to);
  return jsonChanges(from, to);
}

/** Where two JSON values differ, in the order of the first. */
export function jsonChanges(before: JsonValue, after: JsonValue): FieldChange[] {
  const changes: FieldChange[] = [];
  compare("", before, after, changes);
  return changes;
}

/** Whether anything but labels and annotations changes: then the generation grows. */
export function changesSpec(changes: readonly FieldChange[]): boolean {
  return changes.some(({ path }) => !/^(labels|annotations)\b/.test(path));
}

function specJson<K extends Kind>(kind: K, message: MessageOf[K]): JsonValue {
  const hidden = outputOnly(kind);
  return Object.fromEntries(Object.entries(messageToJson(kind, message)).filter(([field]) => !hidden.includes(field)));
}

function compare(path: string, from: JsonValue | undefined, to: JsonValue | undefined, changes: FieldChange[]): void {
  if (from === to) return;
  if (Array.isArray(from) && Array.isArray(to)) {
    for (let i = 0; i < Math.max(from.length, to.length); i++) compare(`${path}[${i}]`, from[i], to[i], changes);
  } else if (isObject(from) && isObject(to)) {
    for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
      compare(join(path, key), from[key], to[key], changes);
    }
  } else {
    changes.push({ path, from, to });
  }
}

function join(path: string, key: string): string {
  if (!/^\w+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
