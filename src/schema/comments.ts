import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { DESCRIPTORS } from "../gen/descriptors.ts";

/** What has a comment in a proto. */
export type Declaration = DescMessage | DescEnum | DescField | DescEnum["values"][number];

/** The admin API's protos with their comments, which generated code does not carry at run time. */
export interface CommentedProtos {
  readonly registry: FileRegistry;
  /** The comment above a declaration, without line breaks inside paragraphs; empty when there is none. */
  readonly commentOf: (declaration: Declaration) => string;
  /** What each value of a field means that is one of several. */
  readonly meaningsOf: (field: DescField) => readonly string[];
}

/** Takes some milliseconds. */
export function readProtos(): CommentedProtos {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, base64Decode(DESCRIPTORS)));
  const comments = new Map([...registry.files].flatMap(commentsIn));
  const commentOf = (declaration: Declaration) => comments.get(placeOf(declaration)) ?? "";
  const meaningsOf = ({ enum: chosen }: DescField) =>
    (chosen?.values ?? [])
      .filter(({ number }) => number !== 0)
      .map((value) => `\`${value.name}\`: ${commentOf(value) || "–"}`);
  return { registry, commentOf, meaningsOf };
}

function commentsIn({ name, proto }: DescFile): [place: string, comment: string][] {
  return (proto.sourceCodeInfo?.location ?? []).map(({ path, leadingComments }) => [
    [name, ...path].join("."),
    leadingComments.trim().replaceAll(/\n\s*/g, " "),
  ]);
}

function placeOf(declaration: Declaration): string {
  const named = declaration.kind === "field" || declaration.kind === "enum_value" ? declaration.parent : declaration;
  return [named.file.name, ...pathOf(declaration)].join(".");
}

/** The numbers by which a descriptor names a declaration: fields of FileDescriptorProto and places in their lists. */
function pathOf(declaration: Declaration): number[] {
  if (declaration.kind === "field") {
    return [...pathOf(declaration.parent), 2, declaration.parent.fields.indexOf(declaration)];
  }
  if (declaration.kind === "enum_value")
    return [...pathOf(declaration.parent), 2, declaration.parent.values.indexOf(declaration)];
  const { parent, file } = declaration;
  if (declaration.kind === "enum") {
    return parent === undefined
      ? [5, file.enums.indexOf(declaration)]
      : [...pathOf(parent), 4, parent.nestedEnums.indexOf(declaration)];
  }
  return parent === undefined
    ? [4, file.messages.indexOf(declaration)]
    : [...pathOf(parent), 3, parent.nestedMessages.indexOf(declaration)];
}
