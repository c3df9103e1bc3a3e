import {
  createFileRegistry,
  type DescFile,
  type FileRegistry,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import type { Handlers } from "../api/handlers.ts";
import { DESCRIPTORS } from "../gen/descriptors.ts";
import {
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponseSchema,
} from "../gen/grpc/reflection/v1/reflection_pb.ts";

/** The older name has the same messages, and is what many tools still ask for first. */
export const REFLECTION_NAMES = [ServerReflection.typeName, "grpc.reflection.v1alpha.ServerReflection"];

/** Server reflection, comments included, for the services that are named and for itself. */
export function reflectionHandlers(serviceNames: readonly string[]): Handlers<typeof ServerReflection.method> {
  const listed = [...serviceNames, ServerReflection.typeName];
  let registry: FileRegistry | undefined;
  return {
    serverReflectionInfo: async function* (requests) {
      registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(DESCRIPTORS, "base64")));
      for await (const request of requests) {
        const { host: validHost } = request;
        const messageResponse = answer(registry, listed, request.messageRequest);
        yield { validHost, originalRequest: request, messageResponse };
      }
    },
  };
}

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;

function answer(
  registry: FileRegistry,
  serviceNames: readonly string[],
  request: ServerReflectionRequest["messageRequest"],
): Answer {
  switch (request.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: serviceNames.map((name) => ({ name })) } };
    case "fileByFilename":
      return fileAnswer(registry.getFile(request.value), request.value);
    case "fileContainingSymbol":
      return fileAnswer(fileOfSymbol(registry, request.value), request.value);
    case "fileContainingExtension":
      return failure(status.NOT_FOUND, `${request.value.containingType} has no extensions here`);
    case "allExtensionNumbersOfType":
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: request.value } };
    case undefined:
      return failure(status.INVALID_ARGUMENT, "nothing is asked for");
  }
}

/** A file with everything that it imports. */
function fileAnswer(file: DescFile | undefined, what: string): Answer {
  if (file === undefined) return failure(status.NOT_FOUND, `there is no ${what}`);
  const files = new Set([file]);
  for (const one of files) for (const imported of one.dependencies) files.add(imported);
  const fileDescriptorProto = Array.from(files, ({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

/** The file of a message, enum or service, or of what is declared inside one: a method, a field, a value. */
function fileOfSymbol(registry: FileRegistry, symbol: string): DescFile | undefined {
  const found = registry.get(symbol) ?? registry.get(symbol.slice(0, symbol.lastIndexOf(".")));
  return found?.file;
}

function failure(errorCode: status, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
