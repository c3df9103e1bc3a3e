import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import {
  create,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ControlPlaneError, toControlPlaneError } from "../domain/errors.ts";
import type { Caller } from "../operations/context.ts";
import { requestDigest } from "../operations/writing/request-digest.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Containment } from "../runtime/containment.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Pace } from "../runtime/pace.ts";
import { withoutSecrets } from "../schema/secrets.ts";
import { actorOf } from "./actor.ts";
import { messagesOf, send } from "./call-streams.ts";
import type { Peer } from "./connections.ts";
import { decodeRequest } from "./decode-request.ts";
import { exhausted } from "./exhausted.ts";
import type { AdminLimits } from "./limits.ts";
import { toServiceError } from "./status.ts";
import { Turnstile } from "./turnstile.ts";

/**
 * Answers one method: with an answer, or with answers if the method streams them. Errors are thrown. An answer that is
 * already bytes is sent as it is.
 */
export type Handler<M extends DescMethod> = M["methodKind"] extends "unary"
  ? (request: MessageShape<M["input"]>, caller: Caller) => Answer<M> | Promise<Answer<M>>
  : M["methodKind"] extends "client_streaming"
    ? (requests: AsyncIterable<MessageShape<M["input"]>>, caller: Caller) => Promise<Answer<M>>
    : M["methodKind"] extends "bidi_streaming"
      ? (requests: AsyncIterable<MessageShape<M["input"]>>, caller: Caller) => AsyncIterable<Answer<M>>
      : (request: MessageShape<M["input"]>, caller: Caller) => AsyncIterable<Answer<M>>;

type Answer<M extends DescMethod> = MessageInitShape<M["output"]> | Uint8Array;

/** A handler for each method of a service. */
export type Handlers<Methods extends Record<string, DescMethod>> = {
  readonly [K in keyof Methods]: Handler<Methods[K]>;
};

export interface Serving {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly pace: Pick<Pace, "breathe">;
  readonly limits: AdminLimits;
  readonly containment: Containment;
  /** Closes the connection of a client that does not take what it is sent. */
  readonly drop: (peer: Peer) => void;
  /** Aborted, with the error for callers as its reason, when the server stops. */
  readonly stopping: AbortSignal;
}

/** Only a few requests above this are worked on at a time, so that memory for decoded requests is needed for only a few. */
const HEAVY_BYTES = 64 * 1024;
const HEAVY_AT_ONCE = 2;

/** Wraps handlers of decoded messages in the functions that grpc-js calls. */
export function implementService<Methods extends Record<string, DescMethod>>(
  service: DescService & { readonly method: Methods },
  handlers: Handlers<Methods>,
  serving: Serving,
): UntypedServiceImplementation {
  const heavy = new Turnstile(HEAVY_AT_ONCE);
  const implementations: Record<DescMethod["methodKind"], (method: DescMethod, handler: unknown) => UntypedHandleCall> =
    {
      unary: (method, handler) => unary(method, handler as Unary, serving, heavy),
      client_streaming: (method, handler) => clientStreaming(method, handler as Taking, serving),
      server_streaming: (method, handler) => serverStreaming(method, handler as Streaming, serving),
      bidi_streaming: (method, handler) => bidiStreaming(method, handler as Conversing, serving),
    };
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => {
      const method = service.method[name] as DescMethod;
      return [name, implementations[method.methodKind](method, handler)];
    }),
  );
}

type Unary = (request: unknown, caller: Caller) => unknown;
type Taking = (requests: AsyncIterable<unknown>, caller: Caller) => Promise<unknown>;
type Streaming = (request: unknown, caller: Caller) => AsyncIterable<unknown>;
type Conversing = (requests: AsyncIterable<unknown>, caller: Caller) => AsyncIterable<unknown>;
type Call = Pick<ServerUnaryCall<Buffer, unknown>, "metadata" | "getPeer"> & Pick<EventEmitter, "on" | "once" | "emit">;
type Sending = Call & Pick<Writable, "write"> & { end(): unknown };

function unary(method: DescMethod, handler: Unary, serving: Serving, heavy: Turnstile): UntypedHandleCall {
  const answer = async (call: ServerUnaryCall<Buffer, unknown>): Promise<Buffer> => {
    const gone = goneSignal(call, serving);
    const work = async () => {
      gone.throwIfAborted();
      const request = await decodeRequest(method.input, call.request, serving.pace);
      return encodeAnswer(
        method,
        await handler(
          request,
          callerOf(call, gone, () => [method, withoutSecrets(method.input, request as Message)]),
        ),
        serving,
      );
    };
    return await (call.request.byteLength > HEAVY_BYTES ? heavy.pass(work) : work());
  };
  return (call: ServerUnaryCall<Buffer, unknown>, respond: sendUnaryData<unknown>) =>
    serving.containment.contain("admin", inputOf(method, call), () =>
      answer(call).then(
        (response) => respond(null, response),
        (thrown: unknown) => respond(failed(method, call, thrown, serving)),
      ),
    );
}

function clientStreaming(method: DescMethod, handler: Taking, serving: Serving): UntypedHandleCall {
  const answer = async (call: ServerReadableStream<Buffer, unknown>): Promise<Buffer> => {
    const gone = goneSignal(call, serving);
    const response = await handler(
      requestsOf(method, call, gone, serving),
      callerOf(call, gone, () => [method, {}]),
    );
    return encodeAnswer(method, response, serving);
  };
  return (call: ServerReadableStream<Buffer, unknown>, respond: sendUnaryData<unknown>) =>
    serving.containment.contain("admin", inputOf(method, call), () =>
      answer(call).then(
        (response) => respond(null, response),
        (thrown: unknown) => respond(failed(method, call, thrown, serving)),
      ),
    );
}

function serverStreaming(method: DescMethod, handler: Streaming, serving: Serving): UntypedHandleCall {
  return (call: ServerWritableStream<Buffer, Buffer>) =>
    sendAll(method, call, serving, async (gone) => {
      const request = await decodeRequest(method.input, call.request, serving.pace);
      return handler(
        request,
        callerOf(call, gone, () => [method, request]),
      );
    });
}

function bidiStreaming(method: DescMethod, handler: Conversing, serving: Serving): UntypedHandleCall {
  return (call: ServerDuplexStream<Buffer, Buffer>) =>
    sendAll(method, call, serving, async (gone) =>
      handler(
        requestsOf(method, call, gone, serving),
        callerOf(call, gone, () => [method, {}]),
      ),
    );
}

/** Sends each answer once the one before is taken, and ends the stream after the last, or with an error. */
function sendAll(
  method: DescMethod,
  call: Sending,
  serving: Serving,
  begin: (gone: AbortSignal) => Promise<AsyncIterable<unknown>>,
): void {
  const run = async () => {
    const signal = goneSignal(call, serving);
    const reading = { method: method.name, signal, ...serving };
    for await (const response of await begin(signal)) {
      signal.throwIfAborted();
      await send(call, encodeAnswer(method, response, serving), reading);
    }
  };
  serving.containment.contain("admin", inputOf(method, call), () =>
    run().then(
      () => call.end(),
      (thrown: unknown) => {
        call.emit("error", failed(method, call, thrown, serving));
        if (thrown instanceof ControlPlaneError && thrown.code === "READER_TOO_SLOW") dropUnlessClosed(call, serving);
      },
    ),
  );
}

/** A client that takes nothing does not take the end of its stream either, and what is held for it stays. */
function dropUnlessClosed(call: Sending, { clock, limits, drop }: Serving): void {
  let isClosed = false;
  call.once("cancelled", () => {
    isClosed = true;
  });
  const [, remoteAddress, remotePort] = /^(.*):(\d+)$/.exec(call.getPeer()) ?? [];
  clock.after(limits.slowReaderMs, () => {
    if (!isClosed) drop({ remoteAddress, remotePort: Number(remotePort) });
  });
}

async function* requestsOf(
  method: DescMethod,
  call: Pick<Readable, "iterator">,
  signal: AbortSignal,
  serving: Serving,
): AsyncGenerator {
  for await (const bytes of messagesOf(call, { method: method.name, signal, ...serving })) {
    yield await decodeRequest(method.input, bytes, serving.pace);
  }
}

function encodeAnswer(method: DescMethod, answer: unknown, { limits }: Serving): Buffer {
  const bytes =
    answer instanceof Uint8Array
      ? answer
      : toBinary(method.output, create(method.output, answer as Record<string, unknown>));
  if (bytes.byteLength > limits.maxAnswerBytes) {
    throw exhausted("ANSWER_TOO_LARGE", {
      limit: `bytes of one answer of ${method.name}`,
      came: bytes.byteLength,
      max: limits.maxAnswerBytes,
      cure: "ask for less at a time",
    });
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Aborted when the caller gives up or the plane stops. */
function goneSignal(call: Call, { stopping }: Serving): AbortSignal {
  const gone = new AbortController();
  call.on("cancelled", () =>
    gone.abort(new ControlPlaneError({ kind: "cancelled", code: "CANCELLED", message: "the caller has gone" })),
  );
  return AbortSignal.any([gone.signal, stopping]);
}

function callerOf(call: Call, signal: AbortSignal, asked: () => [method: DescMethod, request: object]): Caller {
  let digest: Uint8Array | undefined;
  return {
    actor: actorOf(call.metadata, call.getPeer()),
    signal,
    requestDigest: () => {
      const [method, request] = asked();
      digest ??= requestDigest(method.name, request);
      return digest;
    },
  };
}

function inputOf(method: DescMethod, call: Call): string {
  return `${method.name} of ${call.getPeer()}`;
}

function failed(method: DescMethod, call: Call, thrown: unknown, { logger, stopping, containment }: Serving) {
  // When one of Node's own waits is aborted, it rejects with an AbortError, whose cause is the signal's reason.
  const isAbort = thrown instanceof Error && thrown.name === "AbortError" && thrown.cause !== undefined;
  const error = toControlPlaneError(isAbort ? thrown.cause : thrown);
  if (error.kind === "bug") containment.note("admin", inputOf(method, call), thrown);
  else if (!stopping.aborted) {
    logger.debug({ rpc: method.name, code: error.code, reason: error.message }, "admin call refused");
  }
  return toServiceError(error);
}
