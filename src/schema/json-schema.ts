import { type DescField, type DescMessage, type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { DURATION_PATTERN } from "./duration-text.ts";
import { MANIFEST_KINDS } from "./object-json.ts";
import { descriptorOf, OUTPUT_ONLY } from "./object-message.ts";

/** JSON Schema (draft 2020-12) of one manifest, for editors: made from the same descriptors that reading it follows. */
export function manifestSchema(): JsonObject {
  const defs: JsonObject = {};
  const manifests = [...MANIFEST_KINDS].map(([word, kind]): JsonObject => {
    const { properties } = messageSchema(descriptorOf(kind), defs, OUTPUT_ONLY[kind]);
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

interface ObjectSchema extends JsonObject {
  properties: JsonObject;
}

function messageSchema(desc: DescMessage, defs: JsonObject, readOnly: readonly string[] = []): ObjectSchema {
  const properties: JsonObject = {};
  for (const field of desc.fields) {
    const schema = fieldSchema(field, defs);
    properties[field.jsonName] = readOnly.includes(field.jsonName) ? { ...schema, readOnly: true } : schema;
  }
  return { type: "object", properties, additionalProperties: false };
}

function fieldSchema(field: DescField, defs: JsonObject): JsonObject {
  if (field.fieldKind === "list") return { type: "array", items: valueSchema(field, defs) };
  if (field.fieldKind === "map") return { type: "object", additionalProperties: valueSchema(field, defs) };
  return valueSchema(field, defs);
}

const SCALARS: { readonly [S in ScalarType]?: JsonObject } = {
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.INT32]: { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  [ScalarType.UINT32]: { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 },
  [ScalarType.INT64]: { type: ["integer", "string"], pattern: "^-?[0-9]+$" },
  [ScalarType.UINT64]: { type: ["integer", "string"], pattern: "^[0-9]+$" },
};

function valueSchema(field: DescField, defs: JsonObject): JsonObject {
  if (field.message !== undefined) return referTo(field.message, defs);
  if (field.enum !== undefined) {
    return { enum: field.enum.values.filter(({ number }) => number !== 0).map(({ name }) => name) };
  }
  return SCALARS[field.scalar ?? ScalarType.STRING] ?? { type: "string" };
}

function referTo(desc: DescMessage, defs: JsonObject): JsonObject {
  if (desc.typeName === "google.protobuf.Duration") return { type: "string", pattern: DURATION_PATTERN };
  if (desc.typeName === "google.protobuf.Timestamp") return { type: "string", format: "date-time" };
  const name = desc.typeName.slice(desc.typeName.indexOf(".v1.") + 4);
  if (defs[name] === undefined) {
    defs[name] = {};
    defs[name] = messageSchema(desc, defs);
  }
  return { $ref: `#/$defs/${name}` };
}
