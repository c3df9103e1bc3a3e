import type { DescService } from "@bufbuild/protobuf";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

/**
 * The definition by which grpc-js serves a service. Messages stay bytes both ways: a handler decodes them itself, so bytes
 * that do not decode are the caller's error and not, as in grpc-js, an internal one; and it knows the length of an answer
 * before it is sent.
 *
 * @param name The name under which it is served, if not its own.
 */
export function grpcServiceDefinition(service: DescService, name: string = service.typeName): ServiceDefinition {
  const pass = (bytes: Buffer) => bytes;
  return Object.fromEntries(
    service.methods.map((method): [string, MethodDefinition<Buffer, Buffer>] => [
      method.localName,
      {
        path: `/${name}/${method.name}`,
        requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
        responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
        requestSerialize: pass,
        requestDeserialize: pass,
        responseSerialize: pass,
        responseDeserialize: pass,
      },
    ]),
  );
}
