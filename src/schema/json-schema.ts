import { type DescField, type DescMessage, type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { DURATION_PATTERN } from "./duration-text.ts";
import { MANIFEST_KINDS } from "./object-json.ts";
import { descriptorOf, outputOnly } from "./object-message.ts";

/** JSON Schema (draft 2020-12) of one manifest, for editors: made from the same descriptors that it is read by. */
export function manifestSchema(): JsonObject {
  const defs: JsonObject = {};
  const manifests = [...MANIFEST_KINDS].map(([word, kind]): JsonObject => {
    const { properties } = messageSchema(descriptorOf(kind), { defs, isPrinted: false }, outputOnly(kind));
    return {
      title: word,
      type: "object",
      properties: { kind: { const: word }, ...properties },
      required: ["kind", "name"],
      additionalProperties: false,
    };
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Fairlead manifest",
    oneOf: manifests,
    $defs: defs,
  };
}

export interface ObjectSchema extends JsonObject {
  properties: JsonObject;
}

/** What the schemas of several messages share. */
export interface SchemaForm {
  /** Collects the schemas of the messages that they refer to. */
  readonly defs: JsonObject;
  /** As the plane and the command line print messages: with fields that hold their default, and 64-bit numbers as strings. */
  readonly isPrinted: boolean;
}

export function messageSchema(desc: DescMessage, form: SchemaForm, readOnly: readonly string[] = []): ObjectSchema {
  const properties: JsonObject = {};
  for (const field of desc.fields) {
    const schema = fieldSchema(field, form);
    properties[field.jsonName] = readOnly.includes(field.jsonName) ? { ...schema, readOnly: true } : schema;
  }
  const required = form.isPrinted ? desc.fields.filter(isAlwaysPrinted).map(({ jsonName }) => jsonName) : [];
  return { type: "object", properties, ...(required.length > 0 && { required }), additionalProperties: false };
}

/** Whether a field does not record if its default was written. */
function isAlwaysPrinted({ fieldKind, presence, oneof }: DescField): boolean {
  if (fieldKind === "list" || fieldKind === "map") return true;
  return fieldKind !== "message" && oneof === undefined && presence === Presence.IMPLICIT;
}

function fieldSchema(field: DescField, form: SchemaForm): JsonObject {
  if (field.fieldKind === "list") return { type: "array", items: valueSchema(field, form) };
  if (field.fieldKind === "map") return { type: "object", additionalProperties: valueSchema(field, form) };
  return valueSchema(field, form);
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

function valueSchema(field: DescField, form: SchemaForm): JsonObject {
  if (field.message !== undefined) return referTo(field.message, form);
  if (field.enum !== undefined) {
    const values = field.enum.values.filter(({ number }) => form.isPrinted || number !== 0);
    return { enum: values.map(({ name }) => name) };
  }
  const schema = SCALARS[field.scalar ?? ScalarType.STRING] ?? { type: "string" };
  return form.isPrinted && Array.isArray(schema["type"]) ? { ...schema, type: "string" } : schema;
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
    defs[name] = messageSchema(desc, form);
  }
  return { $ref: `#/$defs/${name}` };
}
