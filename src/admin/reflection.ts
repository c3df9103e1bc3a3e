import {
  create,
  createFileRegistry,
  type DescFile,
  type FileRegistry,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type Server, type ServerDuplexStream, type ServiceDefinition, status } from "@grpc/grpc-js";
import { DESCRIPTORS } from "../gen/descriptors.ts";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { grpcServiceDefinition } from "./grpc-service-definition.ts";

/** The older name has the same messages, and is what many tools still ask for first. */
const NAMES = [ServerReflection.typeName, "grpc.reflection.v1alpha.ServerReflection"];

/** Adds server reflection, comments included, for the services that are named and for itself. */
export function addReflection(server: Server, serviceNames: readonly string[]): void {
  const listed = [...serviceNames, ServerReflection.typeName];
  let registry: FileRegistry | undefined;
  const answerAll = (call: ServerDuplexStream<Buffer, ServerReflectionResponse>) => {
    call.on("data", (bytes: Buffer) => {
      const request = readRequest(bytes);
      if (request === undefined) {
        call.emit("error", { code: status.INVALID_ARGUMENT, details: "the request does not decode" });
        return;
      }
      registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(DESCRIPTORS, "base64")));
      const messageResponse = answer(registry, listed, request.messageRequest);
      const { host: validHost } = request;
      call.write(create(ServerReflectionResponseSchema, { validHost, originalRequest: request, messageResponse }));
    });
    call.on("end", () => call.end());
  };
  for (const name of NAMES) server.addService(definitionUnder(name), { serverReflectionInfo: answerAll });
}

function definitionUnder(name: string): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(grpcServiceDefinition(ServerReflection)).map(([method, definition]) => [
      method,
      { ...definition, path: definition.path.replace(ServerReflection.typeName, name) },
    ]),
  );
}

function readRequest(bytes: Uint8Array): ServerReflectionRequest | undefined {
  try {
    return fromBinary(ServerReflectionRequestSchema, bytes);
  } catch {
    return undefined;
  }
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

/** Of a message, enum or service, or of what is declared inside of one: a method, a field, a value. */
function fileOfSymbol(registry: FileRegistry, symbol: string): DescFile | undefined {
  const found = registry.get(symbol) ?? registry.get(symbol.slice(0, symbol.lastIndexOf(".")));
  return found?.file;
}

function failure(errorCode: status, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
