import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Kind } from "../domain/name.ts";
import { type CommentedProtos, readProtos } from "./comments.ts";
import { didYouMean } from "./did-you-mean.ts";
import { durationOf } from "./duration-text.ts";
import type { Fact } from "./facts.ts";
import { isRequired } from "./json-schema.ts";
import { FACTS } from "./kinds/registry.ts";
import { fieldNamed, fieldNames } from "./message-fields.ts";
import { descriptorOf, outputOnly } from "./object-message.ts";

/** What is known of a kind or of one of its fields, for people. */
export interface FieldDocs {
  /** `service`, `service.healthCheck.interval`. */
  readonly path: string;
  /** `text`, `list of HashKey`. */
  readonly type: string;
  readonly isRequired: boolean;
  /** Only the plane writes it. */
  readonly isReadOnly: boolean;
  readonly description: string;
  /** What holds of its values, by a word each: `range`, `default`. */
  readonly rules: readonly (readonly [about: string, text: string])[];
  /** Those of the message that it holds. Empty inside of a message of the same type, which may hold others without end. */
  readonly fields: readonly FieldDocs[];
}

export type FoundDocs =
  | { readonly ok: true; readonly docs: FieldDocs }
  | { readonly ok: false; readonly message: string };

/** @param words The names of fields, each within the one before; those of list elements are written without an index. */
export function fieldDocs(kind: Kind, words: readonly string[]): FoundDocs {
  const protos = readProtos();
  const path: string[] = [kind];
  let desc: DescMessage | undefined = descriptorOf(kind);
  let docs = kindDocs(protos, kind, desc);
  for (const word of words) {
    const name = word.replace(/\[\d*\]$/, "");
    const field = fieldNamed(desc, name);
    if (desc === undefined) return { ok: false, message: `${path.join(".")} has no fields` };
    if (field === undefined) {
      const known = fieldNames(desc);
      const hint = didYouMean(name, known) || `; it has ${known.join(", ")}`;
      return { ok: false, message: `${path.join(".")} has no field "${name}"${hint}` };
    }
    const place = { path: path.join("."), kind: path.length === 1 ? kind : undefined, around: [] };
    docs = docsOf(protos, field, { ...place, isWithinReadOnly: docs.isReadOnly });
    path.push(field.jsonName);
    desc = hasFields(field) ? field.message : undefined;
  }
  return { ok: true, docs };
}

function kindDocs(protos: CommentedProtos, kind: Kind, desc: DescMessage): FieldDocs {
  const fields = desc.fields.map((field) =>
    docsOf(protos, field, { path: kind, kind, around: [desc], isWithinReadOnly: false }),
  );
  const description = protos.commentOf(desc);
  return {
    path: kind,
    type: desc.name,
    isRequired: false,
    isReadOnly: false,
    description,
    rules: groupRules(desc),
    fields,
  };
}

interface Place {
  readonly path: string;
  /** The kind whose own field it is. */
  readonly kind: Kind | undefined;
  readonly around: readonly DescMessage[];
  /** It is inside a field that only the plane writes. */
  readonly isWithinReadOnly: boolean;
}

function docsOf(protos: CommentedProtos, field: DescField, place: Place): FieldDocs {
  const { path, kind, around, isWithinReadOnly } = place;
  const { localName, jsonName, message, parent } = field;
  const isReadOnly = isWithinReadOnly || (kind !== undefined && outputOnly(kind).includes(localName));
  const fact = isReadOnly ? undefined : FACTS.get(parent.typeName)?.fields[localName];
  const at = `${path}.${jsonName}`;
  const inner = message !== undefined && hasFields(field) && !around.includes(message) ? message : undefined;
  return {
    path: at,
    type: typeOf(field),
    isRequired: isRequired(field, fact),
    isReadOnly,
    description: protos.commentOf(field) || (message && hasFields(field) ? protos.commentOf(message) : ""),
    rules: [
      ...rulesOf(fact),
      ...protos.meaningsOf(field).map((meaning) => ["value", meaning] as const),
      ...(inner === undefined ? [] : groupRules(inner)),
    ],
    get fields() {
      return (inner?.fields ?? []).map((each) =>
        docsOf(protos, each, {
          path: at,
          kind: undefined,
          around: [...around, ...(inner === undefined ? [] : [inner])],
          isWithinReadOnly: isReadOnly,
        }),
      );
    },
  };
}

function hasFields({ message }: DescField): boolean {
  return message !== undefined && !message.typeName.startsWith("google.protobuf.");
}

function groupRules({ typeName }: DescMessage): FieldDocs["rules"] {
  const names = FACTS.get(typeName)?.oneOf?.fields;
  return names === undefined ? [] : [["one of", `exactly one of ${names.join(", ")}`]];
}

function rulesOf(fact: Fact = {}): FieldDocs["rules"] {
  const { range, time, count, entries, maxBytes, otherwise } = fact;
  const { text, isUnique, isOnlyTrue } = fact;
  const length = text?.maxLength;
  const rules: readonly (readonly [about: string, text: string | undefined])[] = [
    ["default", time?.otherwiseMs === undefined ? defaultText(otherwise) : durationOf(time.otherwiseMs)],
    ["range", range && `${range.min} to ${range.max}`],
    ["range", time && `${durationOf(time.minMs)} to ${durationOf(time.maxMs)}`],
    ["entries", count && bounds(count)],
    ["entries", entries && `at most ${entries.max}`],
    ["length", entries && `keys up to ${entries.keyLength} characters, values up to ${entries.valueLength}`],
    ["length", length === undefined ? undefined : `at most ${length} characters`],
    ["length", maxBytes === undefined ? undefined : `at most ${maxBytes} bytes`],
    ["values", text?.values?.join(", ")],
    ["values", isOnlyTrue && "true"],
    ["unique", isUnique && "no two entries are the same"],
  ];
  return rules.flatMap(([about, said]) => (said === undefined ? [] : [[about, said] as const]));
}

function defaultText(otherwise: Fact["otherwise"]): string | undefined {
  if (otherwise === undefined) return undefined;
  return typeof otherwise === "string" ? otherwise : JSON.stringify(otherwise);
}

function bounds({ min, max }: { readonly min?: number; readonly max?: number }): string {
  if (min === undefined) return `at most ${max}`;
  return max === undefined ? `at least ${min}` : `${min} to ${max}`;
}

const SCALARS: { readonly [S in ScalarType]?: string } = {
  [ScalarType.STRING]: "text",
  [ScalarType.BOOL]: "true or false",
  [ScalarType.BYTES]: "base64",
  [ScalarType.DOUBLE]: "number",
};

function typeOf(field: DescField): string {
  if (field.fieldKind === "map") return `map of ${valueTypeOf(field)}`;
  return field.fieldKind === "list" ? `list of ${valueTypeOf(field)}` : valueTypeOf(field);
}

function valueTypeOf({ message, enum: chosen, scalar }: DescField): string {
  if (message?.typeName === "google.protobuf.Duration") return "duration";
  if (message?.typeName === "google.protobuf.Timestamp") return "time";
  if (message !== undefined) return message.name;
  if (chosen !== undefined) {
    const names = chosen.values.filter(({ number }) => number !== 0).map(({ name }) => name);
    return `one of ${names.join(", ")}`;
  }
  return SCALARS[scalar ?? ScalarType.STRING] ?? "whole number";
}
