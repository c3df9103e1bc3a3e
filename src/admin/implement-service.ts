import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import { create, type DescMethod, type DescService, type Message, toBinary } from "@bufbuild/protobuf";
import type { ServerUnaryCall, sendUnaryData, UntypedHandleCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import { ACTOR_HEADER, callerOf } from "../api/caller.ts";
import type { Handlers } from "../api/handlers.ts";
import { ControlPlaneError, toControlPlaneError } from "../domain/errors.ts";
import type { Caller } from "../operations/context.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Containment } from "../runtime/containment.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Pace } from "../runtime/pace.ts";
import { messagesOf, send } from "./call-streams.ts";
import type { Peer } from "./connections.ts";
import { decodeRequest } from "./decode-request.ts";
import { refuseAbove } from "./exhausted.ts";
import type { AdminLimits } from "./limits.ts";
import { toServiceError } from "./status.ts";
import { Turnstile } from "./turnstile.ts";

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
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => {
      const method = service.method[name] as DescMethod;
      const run = (call: Call, signal: AbortSignal) => handle(method, handler as AnyHandler, serving, { call, signal });
      const isStreamed = method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
      return [name, isStreamed ? streaming(method, run, serving) : answering(method, run, serving, heavy)];
    }),
  );
}

/** With one request or all of them as they come; the answer, or all of them. */
type AnyHandler = (input: Message | AsyncIterable<Message>, caller: Caller) => unknown;
/** A call of any kind: one that takes a stream of requests has no `request`. */
type Call = Pick<ServerUnaryCall<Buffer, unknown>, "metadata" | "getPeer"> &
  Pick<EventEmitter, "on" | "once" | "emit"> &
  Pick<Readable, "iterator"> & { readonly request?: Buffer };
type Sending = Call & Pick<Writable, "write"> & { end(): unknown };
type Run = (call: Call, signal: AbortSignal) => Promise<unknown>;

async function handle(
  method: DescMethod,
  handler: AnyHandler,
  serving: Serving,
  { call, signal }: { readonly call: Call; readonly signal: AbortSignal },
): Promise<unknown> {
  const request = call.request && (await decodeRequest(method.input, call.request, serving.pace));
  const [actor] = call.metadata.get(ACTOR_HEADER).map(String);
  const caller = callerOf({ method, request, actor, peer: call.getPeer(), signal });
  return await handler(request ?? requestsOf(method, call, signal, serving), caller);
}

function answering(method: DescMethod, run: Run, serving: Serving, heavy: Turnstile): UntypedHandleCall {
  const answer = async (call: Call): Promise<Buffer> => {
    const gone = goneSignal(call, serving);
    const work = async () => {
      gone.throwIfAborted();
      return encodeAnswer(method, await run(call, gone), serving);
    };
    return await ((call.request?.byteLength ?? 0) > HEAVY_BYTES ? heavy.pass(work) : work());
  };
  return (call: Call, respond: sendUnaryData<unknown>) =>
    serving.containment.contain("admin", inputOf(method, call), () =>
      answer(call).then(
        (response) => respond(null, response),
        (thrown: unknown) => respond(failed(method, call, thrown, serving)),
      ),
    );
}

/** Sends each answer once the one before is taken, and ends the stream after the last, or with an error. */
function streaming(method: DescMethod, run: Run, serving: Serving): UntypedHandleCall {
  const sendAll = async (call: Sending) => {
    const signal = goneSignal(call, serving);
    const reading = { method: method.name, signal, ...serving };
    for await (const response of (await run(call, signal)) as AsyncIterable<unknown>) {
      signal.throwIfAborted();
      await send(call, encodeAnswer(method, response, serving), reading);
    }
  };
  return (call: Sending) =>
    serving.containment.contain("admin", inputOf(method, call), () =>
      sendAll(call).then(
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
): AsyncGenerator<Message> {
  for await (const bytes of messagesOf(call, { method: method.name, signal, ...serving })) {
    yield await decodeRequest(method.input, bytes, serving.pace);
  }
}

function encodeAnswer(method: DescMethod, answer: unknown, { limits }: Serving): Buffer {
  const bytes =
    answer instanceof Uint8Array
      ? answer
      : toBinary(method.output, create(method.output, answer as Record<string, unknown>));
  refuseAbove("ANSWER_TOO_LARGE", {
    limit: `bytes of one answer of ${method.name}`,
    came: bytes.byteLength,
    max: limits.maxAnswerBytes,
    cure: "ask for less at a time",
  });
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
