import type { DescService } from "@bufbuild/protobuf";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

/**
 * The definition that grpc-js serves a service by. Messages stay bytes both ways: a handler decodes them itself, so that
 * bytes which do not decode are the caller's error and not, as in grpc-js, an internal one, and knows how long an answer is
 * before it is sent.
 *
 * @param name Under which it is served, where that is not its own.
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
