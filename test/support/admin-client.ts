import {
  create,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";

/** A plain grpc-js client of any service described by generated code. */
export class TestClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), { "grpc.max_receive_message_length": -1 });
  }

  call<M extends DescMethod>(
    method: M,
    request: MessageInitShape<M["input"]>,
    metadata: Record<string, string> = {},
  ): Promise<MessageShape<M["output"]>> {
    return this.send(method, toBinary(method.input, create(method.input, request)), metadata);
  }

  /** Sends bytes as they are. */
  send<M extends DescMethod>(
    method: M,
    bytes: Uint8Array,
    metadata: Record<string, string> = {},
  ): Promise<MessageShape<M["output"]>> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        pathOf(method),
        () => Buffer.from(bytes),
        (answer) => fromBinary(method.output, answer),
        null,
        metadataOf(metadata),
        (error, response) => {
          if (error === null && response !== undefined) resolve(response as MessageShape<M["output"]>);
          else reject(error);
        },
      );
    });
  }

  stream<M extends DescMethod>(method: M, request: MessageInitShape<M["input"]>) {
    return this.#client.makeServerStreamRequest(
      pathOf(method),
      (message: MessageShape<M["input"]>) => Buffer.from(toBinary(method.input, message)),
      (answer) => fromBinary(method.output, answer) as MessageShape<M["output"]>,
      create(method.input, request) as MessageShape<M["input"]>,
      new Metadata(),
    );
  }

  close(): void {
    this.#client.close();
  }
}

export const ADMIN = AdminService.method;

/** What an error says to a program. */
export function detailsOf(error: unknown): { code: number; reason: string; fields: readonly string[] } {
  const { code, metadata } = error as ServiceError;
  const [bytes] = metadata.get("grpc-status-details-bin");
  const details = fromBinary(StatusSchema, bytes as Buffer).details;
  const info = details.map((any) => anyUnpack(any, ErrorInfoSchema)).find((found) => found !== undefined);
  const bad = details.map((any) => anyUnpack(any, BadRequestSchema)).find((found) => found !== undefined);
  return { code, reason: info?.reason ?? "", fields: bad?.fieldViolations.map(({ field }) => field) ?? [] };
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function metadataOf(entries: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
}
