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

export interface TalkOptions {
  readonly leaveAfterMs: number;
  /** Whether answers are taken in. */
  readonly reads?: boolean;
  /** Whether the end of the messages is said. */
  readonly ends?: boolean;
}

/** A plain grpc-js client of any service described by generated code. */
export class TestClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      // Each client has a connection of its own.
      "grpc.use_local_subchannel_pool": 1,
    });
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

  /** Sends messages to a method of any kind and leaves after a while, whatever it answers. */
  talk(
    method: DescMethod,
    messages: readonly Uint8Array[],
    { leaveAfterMs, reads = true, ends = true }: TalkOptions,
  ): Promise<void> {
    const pass = (bytes: Buffer) => bytes;
    const call = this.#client.makeBidiStreamRequest(pathOf(method), pass, pass, new Metadata());
    call.on("error", () => undefined);
    if (reads) call.resume();
    for (const message of messages) call.write(Buffer.from(message));
    if (ends) call.end();
    return new Promise((resolve) => {
      const leave = setTimeout(() => call.cancel(), leaveAfterMs);
      call.on("status", () => {
        clearTimeout(leave);
        resolve();
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

export const ADMIN = AdminService.method;

export interface CallError {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly fields: readonly string[];
}

/** What the error of a call that has to fail says to a program. */
export async function errorOf(call: Promise<unknown>): Promise<CallError> {
  try {
    await call;
  } catch (error) {
    return readError(error as ServiceError);
  }
  throw new Error("the call was accepted");
}

export function readError({ code, details: message, metadata }: ServiceError): CallError {
  const [bytes] = metadata.get("grpc-status-details-bin");
  const details = bytes === undefined ? [] : fromBinary(StatusSchema, bytes as Buffer).details;
  const info = details.map((any) => anyUnpack(any, ErrorInfoSchema)).find((found) => found !== undefined);
  const bad = details.map((any) => anyUnpack(any, BadRequestSchema)).find((found) => found !== undefined);
  const fields = bad?.fieldViolations.map(({ field }) => field) ?? [];
  return { code, message, reason: info?.reason ?? "", fields };
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function metadataOf(entries: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
}
