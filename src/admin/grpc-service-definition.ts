import { type DescService, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

/**
 * The definition that grpc-js serves a service by. Requests stay bytes: a handler decodes them itself, so that bytes which
 * do not decode are the caller's error and not, as in grpc-js, an internal one.
 */
export function grpcServiceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method): [string, MethodDefinition<Buffer, MessageShape<typeof method.output>>] => [
      method.localName,
      {
        path: `/${service.typeName}/${method.name}`,
        requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
        responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
        requestSerialize: (bytes) => bytes,
        requestDeserialize: (bytes) => bytes,
        responseSerialize: (message) => Buffer.from(toBinary(method.output, message)),
        responseDeserialize: () => {
          throw new Error("a server reads no responses");
        },
      },
    ]),
  );
}
