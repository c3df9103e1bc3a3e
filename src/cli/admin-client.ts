import { once } from "node:events";
import type {
  DescMessage,
  DescMethod,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { toAdminError } from "./admin-error.ts";

/** Calls the admin API of one plane. Every method fails with an `AdminError`. */
export interface AdminClient {
  readonly server: string;
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>>;
  /** Ends when the server ends it, the consumer stops, the signal is aborted or `deadlineMs` have passed. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options?: StreamOptions,
  ): AsyncIterable<MessageShape<O>>;
  /** Sends requests as fast as the server takes them in. Has no deadline: it ends with them, or with an error. */
  upload<I extends DescMessage, O extends DescMessage>(
    method: DescMethodClientStreaming<I, O>,
    requests: AsyncIterable<MessageInitShape<I>>,
  ): Promise<MessageShape<O>>;
  close(): void;
}

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined;
  readonly deadlineMs?: number;
}

/** A plane that takes longer than this for one call counts as unreachable. */
const CALL_DEADLINE_MS = 30_000;
const RECEIVE_BYTES_MAX = 64 * 1024 * 1024;

/** Connects lazily: a plane that is not there shows at the first call. `actor` is who the journal names for writes. */
export function connectAdmin(server: string, actor = "cli"): AdminClient {
  const client = new Client(server, credentials.createInsecure(), {
    "grpc.max_receive_message_length": RECEIVE_BYTES_MAX,
    "grpc.enable_http_proxy": 0,
  });
  const metadata = new Metadata();
  metadata.set("x-fairlead-actor", actor);
  return {
    server,
    call: (method, request) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          pathOf(method),
          (message: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, message)),
          (bytes) => fromBinary(method.output, bytes),
          create(method.input, request),
          metadata,
          { deadline: deadlineIn(CALL_DEADLINE_MS) },
          (error: ServiceError | null, answer) => {
            if (error !== null) reject(toAdminError(error, server));
            else if (answer === undefined) reject(new Error(`${method.name}: neither an answer nor an error`));
            else resolve(answer);
          },
        );
      }),
    stream: async function* (method, request, options = {}) {
      const call = client.makeServerStreamRequest(
        pathOf(method),
        (message: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, message)),
        (bytes) => fromBinary(method.output, bytes),
        create(method.input, request),
        metadata,
        options.deadlineMs === undefined ? {} : { deadline: deadlineIn(options.deadlineMs) },
      );
      const cancel = () => call.cancel();
      options.signal?.addEventListener("abort", cancel, { once: true });
      try {
        yield* call as AsyncIterable<MessageShape<typeof method.output>>;
      } catch (error) {
        if (options.signal?.aborted === true) return;
        throw toAdminError(error, server);
      } finally {
        options.signal?.removeEventListener("abort", cancel);
        call.cancel();
      }
    },
    upload: async (method, requests) => {
      const { promise: answered, resolve, reject } = Promise.withResolvers<MessageShape<typeof method.output>>();
      const call = client.makeClientStreamRequest(
        pathOf(method),
        (message: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, message)),
        (bytes) => fromBinary(method.output, bytes),
        metadata,
        (error: ServiceError | null, answer) => {
          if (error !== null) reject(toAdminError(error, server));
          else if (answer === undefined) reject(new Error(`${method.name}: neither an answer nor an error`));
          else resolve(answer);
        },
      );
      // A refusal may come while requests are still being sent; then there is nobody left to send to.
      const over = new AbortController();
      const ended = answered.catch(() => undefined).finally(() => over.abort());
      try {
        for await (const request of requests) {
          if (over.signal.aborted) break;
          if (!call.write(create(method.input, request))) await Promise.race([once(call, "drain"), ended]);
        }
        call.end();
      } catch (error) {
        call.cancel();
        answered.catch(() => undefined);
        throw error;
      }
      return await answered;
    },
    close: () => client.close(),
  };
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function deadlineIn(ms: number): Date {
  return new Date(Date.now() + ms);
}
