import { execFileSync } from "node:child_process";
import { join } from "node:path";
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const root = join(import.meta.dirname, "../..");

/** Our own protos with their comments, which generated code does not carry at run time. */
export interface DocumentedProtos {
  readonly registry: FileRegistry;
  /** The comment above a declaration, without line breaks inside paragraphs; empty when there is none. */
  commentOf(declaration: DescMessage | DescEnum | DescField | DescEnum["values"][number]): string;
}

export function readProtos(): DocumentedProtos {
  const buf = join(root, "node_modules/.bin/buf");
  const bytes = execFileSync(buf, ["build", ".", "--path", "proto/fairlead", "--as-file-descriptor-set", "-o", "-"], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  return {
    registry,
    commentOf: (declaration) => {
      const path = pathOf(declaration).join(".");
      const location = fileOf(declaration).proto.sourceCodeInfo?.location.find((one) => one.path.join(".") === path);
      return (location?.leadingComments ?? "").trim().replaceAll(/\n\s*/g, " ");
    },
  };
}

function fileOf(declaration: Parameters<DocumentedProtos["commentOf"]>[0]) {
  return declaration.kind === "message" || declaration.kind === "enum" ? declaration.file : declaration.parent.file;
}

/** The numbers by which a descriptor names a declaration: fields of FileDescriptorProto and places in their lists. */
function pathOf(declaration: Parameters<DocumentedProtos["commentOf"]>[0]): number[] {
  if (declaration.kind === "field") {
    return [...pathOf(declaration.parent), 2, declaration.parent.proto.field.indexOf(declaration.proto)];
  }
  if (declaration.kind === "enum_value")
    return [...pathOf(declaration.parent), 2, declaration.parent.values.indexOf(declaration)];
  const { parent, file } = declaration;
  if (declaration.kind === "enum") {
    return parent === undefined
      ? [5, file.proto.enumType.indexOf(declaration.proto)]
      : [...pathOf(parent), 4, parent.proto.enumType.indexOf(declaration.proto)];
  }
  return parent === undefined
    ? [4, file.proto.messageType.indexOf(declaration.proto)]
    : [...pathOf(parent), 3, parent.proto.nestedType.indexOf(declaration.proto)];
}
