import { Ajv2020 } from "ajv/dist/2020.js";
import { manifestSchema } from "../../src/schema/json-schema.ts";
import { manifestKind, messageFromJson } from "../../src/schema/object-json.ts";
import { parseObject } from "../../src/schema/parse-object.ts";

/** Strict: it refuses to compile a schema with a word or a combination that could be a mistake. */
const ajv = new Ajv2020({
  strict: true,
  allErrors: true,
  discriminator: true,
  // 64-bit numbers are numbers or text.
  allowUnionTypes: true,
  formats: { "date-time": true },
});
const validate = ajv.compile(manifestSchema());

/** What the JSON Schema says against a manifest, each with its place. */
export function schemaComplaints(manifest: unknown): string[] {
  validate(manifest);
  return (validate.errors ?? []).map(({ instancePath, message = "" }) => `${instancePath} ${message}`);
}

/** What the plane says against a manifest. */
export function planeComplaints({ kind: word, ...json }: { readonly kind?: unknown }): string[] {
  const kind = manifestKind(word);
  if (!kind.ok) return [`kind: ${kind.message}`];
  const read = messageFromJson(kind.kind, json);
  const parsed = read.ok ? parseObject(kind.kind, read.message) : read;
  return parsed.ok ? [] : parsed.violations.map(({ field, message }) => `${field}: ${message}`);
}
