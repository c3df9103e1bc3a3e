import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { type CommentedProtos, readProtos } from "../../src/schema/comments.ts";
import { MANIFEST_KINDS } from "../../src/schema/object-json.ts";
import { descriptorOf, outputOnly } from "../../src/schema/object-message.ts";

const PACKAGE = "fairlead.admin.v1";

/** A section for each kind of object, and for each message that its fields lead to, as Markdown. */
export function objectSections(): string {
  const protos = readProtos();
  const described = new Set<string>();
  const sections = [...MANIFEST_KINDS.values()].map((kind) =>
    kindSections(protos, { message: descriptorOf(kind), outputOnly: outputOnly(kind), described }),
  );
  return sections.flat().join("\n\n");
}

interface Kind {
  readonly message: DescMessage;
  readonly outputOnly: readonly string[];
  /** Messages that have a section already; grows. */
  readonly described: Set<string>;
}

function kindSections(protos: CommentedProtos, { message, outputOnly, described }: Kind): string[] {
  const fields = message.fields.filter(({ localName }) => !outputOnly.includes(localName));
  const sections = [section(protos, "##", message, fields)];
  const queue = nestedMessages(fields);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (described.has(next.typeName)) continue;
    described.add(next.typeName);
    sections.push(section(protos, "###", next, next.fields));
    queue.push(...nestedMessages(next.fields));
  }
  return sections;
}

function section(protos: CommentedProtos, level: string, message: DescMessage, fields: readonly DescField[]): string {
  const comment = protos.commentOf(message);
  const rows = fields.map((field) => `| \`${field.jsonName}\` | ${typeText(field)} | ${meaning(protos, field)} |`);
  return [
    `${level} ${shortName(message)}`,
    ...(comment === "" ? [] : ["", comment]),
    "",
    "| Field | Type | Meaning |",
    "| --- | --- | --- |",
    ...rows,
  ].join("\n");
}

function meaning(protos: CommentedProtos, field: DescField): string {
  const comment = protos.commentOf(field);
  const choice =
    field.oneof === undefined
      ? ""
      : `One of ${field.oneof.fields.map(({ jsonName }) => `\`${jsonName}\``).join(", ")}.`;
  return [comment, choice, ...protos.meaningsOf(field)]
    .filter((text) => text !== "")
    .join("<br>")
    .replaceAll("|", "\\|");
}

const SCALARS: { readonly [S in ScalarType]?: string } = {
  [ScalarType.STRING]: "text",
  [ScalarType.BOOL]: "true or false",
  [ScalarType.BYTES]: "base64",
};

function typeText(field: DescField): string {
  if (field.fieldKind === "map") return `map of ${valueText(field)}`;
  if (field.fieldKind === "list") return `list of ${valueText(field)}`;
  return valueText(field);
}

function valueText(field: DescField): string {
  const { message } = field;
  if (message === undefined)
    return field.enum === undefined ? (SCALARS[field.scalar ?? ScalarType.STRING] ?? "whole number") : "one of";
  if (message.typeName === "google.protobuf.Duration") return "duration (`30s`)";
  if (message.typeName === "google.protobuf.Timestamp") return "time (RFC 3339)";
  return `[${shortName(message)}](#${shortName(message).toLowerCase().replaceAll(".", "")})`;
}

function nestedMessages(fields: readonly DescField[]): DescMessage[] {
  return fields.flatMap(({ message }) => (message?.typeName.startsWith(PACKAGE) === true ? [message] : []));
}

/** `HashKey.Cookie` for `fairlead.admin.v1.HashKey.Cookie`. */
function shortName(message: DescMessage): string {
  return message.typeName.slice(PACKAGE.length + 1);
}
