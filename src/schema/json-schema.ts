import { type DescField, type DescMessage, type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { type CommentedProtos, readProtos } from "./comments.ts";
import { DURATION_PATTERN, durationOf } from "./duration-text.ts";
import type { Fact, TextForm } from "./facts.ts";
import { FACTS } from "./kinds/registry.ts";
import { MANIFEST_KINDS } from "./object-json.ts";
import { descriptorOf, outputOnly } from "./object-message.ts";

/**
 * JSON Schema (draft 2020-12) of one manifest, for editors and pipelines: made from the descriptors that it is read by and
 * the facts that it is checked by. It knows one spelling of everything, the one that the pages use: the plane also reads the
 * others of protobuf's JSON form.
 */
export function manifestSchema(): JsonObject {
  const defs: JsonObject = {};
  const protos = readProtos();
  const manifests = [...MANIFEST_KINDS].map(([word, kind]): JsonObject => {
    const desc = descriptorOf(kind);
    const {
      properties,
      required = [],
      ...more
    } = messageSchema(desc, { defs, protos, isPrinted: false }, outputOnly(kind));
    return {
      title: word,
      ...more,
      properties: { kind: { const: word, description: protos.commentOf(desc) }, ...properties },
      required: ["kind", ...required],
    };
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Fairlead manifest",
    type: "object",
    discriminator: { propertyName: "kind" },
    oneOf: manifests,
    $defs: defs,
  };
}

export interface ObjectSchema extends JsonObject {
  properties: JsonObject;
  required?: string[];
}

/** What the schemas of several messages share. */
export interface SchemaForm {
  /** Collects the schemas of the messages that they refer to. */
  readonly defs: JsonObject;
  /** As the plane and the command line print messages: with fields that hold their default, and 64-bit numbers as strings. */
  readonly isPrinted: boolean;
  /** Where descriptions come from; absent where there are none. */
  readonly protos?: CommentedProtos;
}

export function messageSchema(desc: DescMessage, form: SchemaForm, readOnly: readonly string[] = []): ObjectSchema {
  const { fields = {}, oneOf } = FACTS.get(desc.typeName) ?? {};
  const properties: JsonObject = {};
  const required: string[] = [];
  for (const field of desc.fields) {
    const { localName, jsonName } = field;
    const fact = form.isPrinted || readOnly.includes(localName) ? undefined : fields[localName];
    const schema = form.isPrinted
      ? fieldSchema(field, form)
      : { ...fieldSchema(field, form, fact), ...notes(field, fact, form) };
    properties[jsonName] = readOnly.includes(localName) ? { ...schema, readOnly: true } : schema;
    if (form.isPrinted ? isAlwaysPrinted(field) : isRequired(field, fact)) required.push(jsonName);
  }
  return {
    type: "object",
    properties,
    ...(required.length > 0 && { required }),
    ...(!form.isPrinted && oneOf !== undefined && exactlyOne(oneOf.fields, desc)),
    additionalProperties: false,
  };
}

/** Whether a field does not record if its default was written. */
function isAlwaysPrinted({ fieldKind, presence, oneof }: DescField): boolean {
  if (fieldKind === "list" || fieldKind === "map") return true;
  return fieldKind !== "message" && oneof === undefined && presence === Presence.IMPLICIT;
}

/** Whether a manifest that leaves a field out is refused. */
export function isRequired({ presence }: DescField, { required, count, range }: Fact = {}): boolean {
  const isNumber = presence === Presence.IMPLICIT && range !== undefined;
  return required === true || count?.min === 1 || (isNumber && range.min > 0);
}

/** Where a message has no other fields their number says it, and then a misspelt one is one mistake, not two. */
function exactlyOne(fields: readonly string[], desc: DescMessage): JsonObject {
  if (fields.length === desc.fields.length) return { minProperties: 1, maxProperties: 1 };
  return { oneOf: fields.map((field) => ({ properties: { [field]: true }, required: [field] })) };
}

function notes(field: DescField, { time, otherwise }: Fact = {}, { protos }: SchemaForm): JsonObject {
  const texts = protos === undefined ? [] : [protos.commentOf(field), ...protos.meaningsOf(field)];
  const description = texts.filter((text) => text !== "").join("\n");
  const ms = time?.otherwiseMs;
  return {
    ...(description !== "" && { description }),
    ...(ms === undefined ? otherwise !== undefined && { default: otherwise } : { default: durationOf(ms) }),
  };
}

function fieldSchema(field: DescField, form: SchemaForm, fact: Fact = {}): JsonObject {
  if (field.fieldKind === "list") {
    const { min = 0, max } = fact.count ?? {};
    return {
      type: "array",
      items: valueSchema(field, form, fact),
      ...(min > 0 && { minItems: min }),
      ...(max !== undefined && { maxItems: max }),
      ...(fact.isUnique === true && { uniqueItems: true }),
    };
  }
  if (field.fieldKind === "map") return mapSchema(field, form, fact);
  const isLeftOutIfEmpty = field.oneof === undefined && fact.required !== true;
  return valueSchema(field, form, fact, isLeftOutIfEmpty);
}

function mapSchema(field: DescField, form: SchemaForm, { entries }: Fact): JsonObject {
  if (entries === undefined) return { type: "object", additionalProperties: valueSchema(field, form, {}) };
  const { max, keyLength, valueLength, key, value } = entries;
  return {
    type: "object",
    maxProperties: max,
    propertyNames: { ...textSchema({ ...key, maxLength: keyLength }, false), minLength: 1 },
    additionalProperties: textSchema({ ...value, maxLength: valueLength }, false),
  };
}

const PRINTED_DURATION = "^-?[0-9]+(\\.[0-9]{1,9})?s$";
const SCALARS: { readonly [S in ScalarType]?: JsonObject } = {
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.INT32]: { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  [ScalarType.UINT32]: { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 },
  [ScalarType.INT64]: { type: ["integer", "string"], pattern: "^-?[0-9]+$" },
  [ScalarType.UINT64]: { type: ["integer", "string"], pattern: "^[0-9]+$" },
  [ScalarType.DOUBLE]: { type: "number" },
};

function valueSchema(field: DescField, form: SchemaForm, fact: Fact, isLeftOutIfEmpty = false): JsonObject {
  if (field.message !== undefined) return referTo(field.message, form);
  if (field.enum !== undefined) {
    const values = field.enum.values.filter(({ number }) => form.isPrinted || number !== 0);
    return { enum: values.map(({ name }) => name) };
  }
  if (fact.isOnlyTrue === true) return { const: true };
  if (fact.text !== undefined) return textSchema(fact.text, isLeftOutIfEmpty);
  if (fact.maxBytes !== undefined) return { type: "string", pattern: base64Pattern(fact.maxBytes) };
  const schema = SCALARS[field.scalar ?? ScalarType.STRING] ?? { type: "string" };
  if (fact.range !== undefined) return { ...schema, minimum: fact.range.min, maximum: fact.range.max };
  return form.isPrinted && Array.isArray(schema["type"]) ? { ...schema, type: "string" } : schema;
}

function textSchema(
  { patterns = [], values, isNeverEmpty, maxLength }: TextForm,
  isLeftOutIfEmpty: boolean,
): JsonObject {
  if (values !== undefined) return { enum: [...values] };
  const sources = patterns.map(({ source }) => (isLeftOutIfEmpty ? `^$|${source}` : source));
  const [pattern, ...more] = sources;
  return {
    type: "string",
    ...(isNeverEmpty === true && !isLeftOutIfEmpty && { minLength: 1 }),
    ...(maxLength !== undefined && { maxLength }),
    ...(pattern !== undefined && { pattern }),
    ...(more.length > 0 && { allOf: more.map((each) => ({ pattern: each })) }),
  };
}

/** At most so many bytes in base64, which may be padded or not, and have line breaks. */
function base64Pattern(maxBytes: number): string {
  return `^(?:[\\s=]*[A-Za-z0-9+/_-]){0,${Math.ceil((maxBytes * 4) / 3)}}[\\s=]*$`;
}

export function referTo(desc: DescMessage, form: SchemaForm): JsonObject {
  const { defs } = form;
  if (desc.typeName === "google.protobuf.Duration") {
    return { type: "string", pattern: form.isPrinted ? PRINTED_DURATION : DURATION_PATTERN };
  }
  if (desc.typeName === "google.protobuf.Timestamp") return { type: "string", format: "date-time" };
  const name = desc.typeName.slice(desc.typeName.indexOf(".v1.") + 4);
  if (defs[name] === undefined) {
    defs[name] = {};
    const description = form.protos?.commentOf(desc) ?? "";
    defs[name] = { ...(description !== "" && { description }), ...messageSchema(desc, form) };
  }
  return { $ref: `#/$defs/${name}` };
}
