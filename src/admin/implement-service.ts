import { type EventEmitter, once } from "node:events";
import {
  create,
  type DescMethod,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import type {
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ControlPlaneError, toControlPlaneError } from "../domain/errors.ts";
import type { Caller } from "../operations/context.ts";
import type { Logger } from "../runtime/logger.ts";
import { actorOf } from "./actor.ts";
import { decodeRequest } from "./decode-request.ts";
import { toServiceError } from "./status.ts";

/** How one method is answered: an answer, or answers for a method that streams them. Errors are thrown. */
export type Handler<M extends DescMethod> = M["methodKind"] extends "unary"
  ? (request: MessageShape<M["input"]>, caller: Caller) => Answer<M> | Promise<Answer<M>>
  : M["methodKind"] extends "client_streaming"
    ? (requests: AsyncIterable<MessageShape<M["input"]>>, caller: Caller) => Promise<Answer<M>>
    : (request: MessageShape<M["input"]>, caller: Caller) => AsyncIterable<Answer<M>>;

type Answer<M extends DescMethod> = MessageInitShape<M["output"]>;

/** A handler for each method of a service. */
export type Handlers<Methods extends Record<string, DescMethod>> = {
  readonly [K in keyof Methods]: Handler<Methods[K]>;
};

export interface Serving {
  readonly logger: Logger;
  /** Aborted, with the error for callers as its reason, when the server stops. */
  readonly stopping: AbortSignal;
}

/** Puts handlers of decoded messages behind what grpc-js calls. Methods that stream both ways are not for this. */
export function implementService<Methods extends Record<string, DescMethod>>(
  service: DescService & { readonly method: Methods },
  handlers: Handlers<Methods>,
  serving: Serving,
): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]): [string, UntypedHandleCall] => {
      const method = service.method[name] as DescMethod;
      if (method.methodKind === "unary") return [name, unary(method, handler as Unary, serving)];
      if (method.methodKind === "client_streaming") return [name, clientStreaming(method, handler as Taking, serving)];
      return [name, serverStreaming(method, handler as Streaming, serving)];
    }),
  );
}

type Unary = (request: unknown, caller: Caller) => unknown;
type Taking = (requests: AsyncIterable<unknown>, caller: Caller) => Promise<unknown>;
type Streaming = (request: unknown, caller: Caller) => AsyncIterable<unknown>;
type Call = Pick<ServerUnaryCall<Buffer, unknown>, "metadata" | "getPeer"> & EventEmitter;
type Init = Record<string, unknown>;

function unary(method: DescMethod, handler: Unary, serving: Serving): UntypedHandleCall {
  const answer = async (call: ServerUnaryCall<Buffer, unknown>) =>
    create(method.output, (await handler(decodeRequest(method.input, call.request), callerOf(call, serving))) as Init);
  return (call: ServerUnaryCall<Buffer, unknown>, send: sendUnaryData<unknown>) => {
    answer(call).then(
      (response) => send(null, response),
      (thrown: unknown) => send(failed(method, thrown, serving)),
    );
  };
}

function clientStreaming(method: DescMethod, handler: Taking, serving: Serving): UntypedHandleCall {
  const requests = async function* (call: ServerReadableStream<Buffer, unknown>) {
    for await (const bytes of call) yield decodeRequest(method.input, bytes as Buffer);
  };
  return (call: ServerReadableStream<Buffer, unknown>, send: sendUnaryData<unknown>) => {
    const caller = callerOf(call, serving);
    handler(orAborted(requests(call), caller.signal), caller).then(
      (response) => send(null, create(method.output, response as Init)),
      (thrown: unknown) => send(failed(method, thrown, serving)),
    );
  };
}

/** The same items; ends with the signal's reason when it is aborted while one is awaited. */
async function* orAborted(items: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator {
  const iterator = items[Symbol.asyncIterator]();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => undefined);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { value, done } = await Promise.race([iterator.next(), aborted]);
      if (done === true) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function serverStreaming(method: DescMethod, handler: Streaming, serving: Serving): UntypedHandleCall {
  const answer = async (call: ServerWritableStream<Buffer, unknown>) => {
    const caller = callerOf(call, serving);
    for await (const response of handler(decodeRequest(method.input, call.request), caller)) {
      caller.signal.throwIfAborted();
      if (!call.write(create(method.output, response as Init))) await once(call, "drain", { signal: caller.signal });
    }
  };
  return (call: ServerWritableStream<Buffer, unknown>) => {
    answer(call).then(
      () => call.end(),
      (thrown: unknown) => call.emit("error", failed(method, thrown, serving)),
    );
  };
}

function callerOf(call: Call, { stopping }: Serving): Caller {
  const gone = new AbortController();
  call.on("cancelled", () =>
    gone.abort(new ControlPlaneError({ kind: "cancelled", code: "CANCELLED", message: "the caller has gone" })),
  );
  return { actor: actorOf(call.metadata, call.getPeer()), signal: AbortSignal.any([gone.signal, stopping]) };
}

function failed(method: DescMethod, thrown: unknown, { logger, stopping }: Serving) {
  // An aborted wait of Node's own rejects with an AbortError; what it means is the signal's reason.
  const isAbort = thrown instanceof Error && thrown.name === "AbortError" && thrown.cause !== undefined;
  const error = toControlPlaneError(isAbort ? thrown.cause : thrown);
  const fields = { rpc: method.name, code: error.code };
  if (error.kind === "bug") logger.error({ ...fields, err: thrown }, "admin call failed");
  else if (!stopping.aborted) logger.debug({ ...fields, reason: error.message }, "admin call refused");
  return toServiceError(error);
}
