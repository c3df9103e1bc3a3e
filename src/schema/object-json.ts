import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import type { Checked } from "../domain/errors.ts";
import { type Kind, titleOf } from "../domain/name.ts";
import { checkJson } from "./check-json.ts";
import { didYouMean } from "./did-you-mean.ts";
import { withDurationsInSeconds } from "./duration-text.ts";
import { collectViolations } from "./field-checks.ts";
import { APPLIED_KINDS, type AppliedKind, type MessageOf } from "./kinds/registry.ts";
import { descriptorOf } from "./object-message.ts";
import { withoutValues } from "./secrets.ts";

/** The kinds that manifests hold, by the word for each: `Service`. An observation comes from its source, never from a file. */
export const MANIFEST_KINDS: ReadonlyMap<string, AppliedKind> = new Map(
  APPLIED_KINDS.map((kind) => [titleOf(kind), kind]),
);

export type ChosenKind<K extends Kind = Kind> = { ok: true; kind: K } | { ok: false; message: string };

/** The kind that a manifest names, `Service`, or what is wrong with it. */
export function manifestKind(word: unknown): ChosenKind<AppliedKind> {
  const kind = typeof word === "string" ? MANIFEST_KINDS.get(word) : undefined;
  if (kind !== undefined) return { ok: true, kind };
  const known = [...MANIFEST_KINDS.keys()];
  if (typeof word !== "string") return { ok: false, message: `must be one of ${known.join(", ")}` };
  return { ok: false, message: `unknown kind "${word}"${didYouMean(word, known)}` };
}

/**
 * Reads the JSON form of a message, strictly: an unknown field or enum value and a wrong type are violations with their
 * path. Limits are `parseObject`'s. Field names may be `camelCase` or as in the proto. Never throws.
 */
export function messageFromJson<K extends Kind>(kind: K, json: unknown): Checked<{ readonly message: MessageOf[K] }> {
  const { report, violations } = collectViolations();
  const desc = descriptorOf(kind);
  checkJson(desc, json, "", report);
  if (violations.length > 0) return { ok: false, violations: withoutValues(desc, violations) };
  try {
    return { ok: true, message: fromJson(desc, withDurationsInSeconds(desc, json as JsonValue)) as MessageOf[K] };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, violations: withoutValues(desc, [{ field: "", message }]) };
  }
}

/** The JSON form of a message; fields that are not set are left out. */
export function messageToJson<K extends Kind>(kind: K, message: MessageOf[K]): { [key: string]: JsonValue } {
  return toJson(descriptorOf(kind), message) as { [key: string]: JsonValue };
}
