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
import { type ChosenPlane, choosePlane } from "./choose-plane.ts";

/** Calls the admin API of one plane. Every method fails with an `AdminError`. */
export interface AdminClient {
  /** `HOST:PORT`, or several separated by commas: these are replicas, and the first one that answers is asked. */
  readonly server: string;
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>>;
  /** Ends when the server ends it, the consumer stops, the signal is aborted or `deadlineMs` have passed. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options?: { readonly signal?: AbortSignal | undefined; readonly deadlineMs?: number },
  ): AsyncIterable<MessageShape<O>>;
  /** Sends requests as fast as the server takes them. Has no deadline: ends with the last request or an error. */
  upload<I extends DescMessage, O extends DescMessage>(
    method: DescMethodClientStreaming<I, O>,
    requests: AsyncIterable<MessageInitShape<I>>,
  ): Promise<MessageShape<O>>;
  close(): void;
}

const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
const RECEIVE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Connects lazily: an absent plane is noticed at the first call. `actor` is the name that the journal records for writes.
 *
 * `requestTimeoutMs` is the most that a hanging plane can cost: for a call, all of it, including finding the plane; for
 * streams and uploads, which may take as long as they need, the time to connect and any later silence of the connection.
 */
export function connectAdmin(
  server: string,
  actor = "cli",
  requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS,
): AdminClient {
  const clients = server.split(",").map(
    (address) =>
      new Client(address, credentials.createInsecure(), {
        "grpc.max_receive_message_length": RECEIVE_BYTES_MAX,
        "grpc.enable_http_proxy": 0,
        "grpc.keepalive_time_ms": requestTimeoutMs / 2,
        "grpc.keepalive_timeout_ms": requestTimeoutMs / 2,
      }),
  );
  const metadata = new Metadata();
  metadata.set("x-fairlead-actor", actor);
  let chosen: Promise<ChosenPlane> | undefined;
  const choose = () => (chosen ??= choosePlane(clients, Date.now() + requestTimeoutMs));
  return {
    server,
    call: async (method, request) => {
      const deadline = Date.now() + requestTimeoutMs;
      const { client } = await choose();
      const answer = Promise.withResolvers<MessageShape<typeof method.output>>();
      const message = create(method.input, request);
      client.makeUnaryRequest(...wireOf(method), message, metadata, { deadline }, settling(server, answer));
      return await answer.promise;
    },
    stream: async function* (method, request, options = {}) {
      const { client, isReady } = await choose();
      const call = client.makeServerStreamRequest(
        ...wireOf(method),
        create(method.input, request),
        metadata,
        deadlineOf(isReady ? options.deadlineMs : 0),
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
      const { client, isReady } = await choose();
      const answer = Promise.withResolvers<MessageShape<typeof method.output>>();
      const call = client.makeClientStreamRequest(
        ...wireOf(method),
        metadata,
        deadlineOf(isReady ? undefined : 0),
        settling(server, answer),
      );
      // An error may come while requests are still being sent; nothing reads the rest of them then.
      const over = new AbortController();
      const ended = answer.promise.catch(() => undefined).finally(() => over.abort());
      try {
        for await (const request of requests) {
          if (over.signal.aborted) break;
          if (!call.write(create(method.input, request))) await Promise.race([once(call, "drain"), ended]);
        }
        call.end();
      } catch (error) {
        call.cancel();
        throw error;
      }
      return await answer.promise;
    },
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

/** What grpc-js needs to know about a method. */
function wireOf<I extends DescMessage, O extends DescMessage>(method: Method<I, O>) {
  return [
    `/${method.parent.typeName}/${method.name}`,
    (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
    (bytes: Buffer) => fromBinary(method.output, bytes),
  ] as const;
}

type Method<I extends DescMessage, O extends DescMessage> = DescMethod & { readonly input: I; readonly output: O };

/** The callback of a call with one answer; grpc-js passes either an error or an answer. */
function settling<T>(server: string, { resolve, reject }: Pick<PromiseWithResolvers<T>, "resolve" | "reject">) {
  return (error: ServiceError | null, answer?: T) => {
    if (error !== null) reject(toAdminError(error, server));
    else resolve(answer as T);
  };
}

function deadlineOf(ms: number | undefined): { readonly deadline?: number } {
  return ms === undefined ? {} : { deadline: Date.now() + ms };
}
