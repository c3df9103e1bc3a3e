import type { DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Caller } from "../operations/context.ts";

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
