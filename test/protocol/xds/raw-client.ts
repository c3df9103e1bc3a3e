/** A client of the discovery services that says exactly what a test tells it to, over a real socket. */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "../../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { eventually } from "../../support/eventually.ts";

export const ADS = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

const pass = (bytes: Buffer) => bytes;

class RawStream<Response> {
  readonly responses: Response[] = [];
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  /** The status with which the server ended the stream, if it did. */
  ended: { readonly code: number; readonly details: string } | undefined;

  constructor(client: Client, path: string, decode: (bytes: Buffer) => Response) {
    this.call = client.makeBidiStreamRequest(path, pass, pass, new Metadata());
    this.call.on("data", (bytes: Buffer) => this.responses.push(decode(bytes)));
    this.call.on("error", () => undefined);
    this.call.on("status", ({ code, details }) => {
      this.ended = { code, details };
    });
  }

  /** The next response that this method has not returned yet. */
  async next(): Promise<Response> {
    await eventually(
      () => this.responses.length,
      (length) => length > this.#taken,
      { what: "a response arrives", timeoutMs: 10_000 },
    );
    const response = this.responses[this.#taken++];
    if (!response) throw new Error("no response");
    return response;
  }

  async end(): Promise<{ readonly code: number; readonly details: string }> {
    await eventually(
      () => this.ended,
      (ended) => ended !== undefined,
      { what: "the server ends the stream", timeoutMs: 10_000 },
    );
    return this.ended ?? { code: 0, details: "" };
  }

  #taken = 0;
}

export class DeltaStream extends RawStream<DeltaDiscoveryResponse> {
  send(request: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): void {
    this.call.write(Buffer.from(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request))));
  }
}

export class SotwStream extends RawStream<DiscoveryResponse> {
  send(request: MessageInitShape<typeof DiscoveryRequestSchema>): void {
    this.call.write(Buffer.from(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request))));
  }
}

export class RawClient implements Disposable {
  readonly grpc: Client;

  /** With TLS, the server is known as `serverName`. */
  constructor(address: string, tls?: { readonly channel: ChannelCredentials; readonly serverName: string }) {
    this.grpc = new Client(address, tls?.channel ?? credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      ...(tls && { "grpc.ssl_target_name_override": tls.serverName }),
    });
  }

  delta(path = `${ADS}/DeltaAggregatedResources`): DeltaStream {
    return new DeltaStream(this.grpc, path, (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes));
  }

  sotw(path = `${ADS}/StreamAggregatedResources`): SotwStream {
    return new SotwStream(this.grpc, path, (bytes) => fromBinary(DiscoveryResponseSchema, bytes));
  }

  /** Calls a unary method with an empty request and returns its status code. */
  unary(path: string): Promise<number> {
    return new Promise((resolve) => {
      this.grpc.makeUnaryRequest(path, pass, pass, Buffer.alloc(0), (error: ServiceError | null) => {
        resolve(error?.code ?? 0);
      });
    });
  }

  [Symbol.dispose](): void {
    this.grpc.close();
  }
}
