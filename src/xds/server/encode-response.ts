import type { Clock } from "../../runtime/clock.ts";
import type { Send } from "../protocol/events.ts";
import type { CachedResource } from "./cached-resource.ts";
import type { Variant } from "./services.ts";
import { encodeHeartbeat, encodeNonce, responseParts, wrapForSotw } from "./wire.ts";

/**
 * One gRPC message with its length prefix: the memory that all streams with the same content write, followed by the
 * stream's own nonce if that differs.
 */
export type ResponseFrame = {
  readonly shared: Buffer;
  readonly own: Buffer | undefined;
  /** The buffer that `shared` is part of: one for all frames that share memory. */
  readonly whole: Buffer;
};

const GRPC_PREFIX_BYTES = 5;
/** How many contents are remembered, how many bytes in all, and for how long after the newest was added. */
const MAX_KEPT = 16;
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
const KEPT_MS = 1000;

type Kept = {
  readonly variant: Variant;
  readonly send: Send;
  readonly identifier: string;
  readonly frame: Buffer;
  /** Where the nonce begins in the frame. */
  readonly nonceAt: number;
};

/**
 * Turns responses into bytes. Streams with the same things due, in one publication or one storm of connections, share
 * their bytes: a thousand streams have one buffer instead of a thousand.
 */
export class ResponseEncoder {
  readonly #clock: Clock;
  #kept: Kept[] = [];
  #cancelForget: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  encode(send: Send, variant: Variant, identifier: string): ResponseFrame {
    const kept = this.#kept.find((each) => isSameContent(each, send, variant, identifier));
    const whole = kept?.frame ?? this.#compose(send, variant, identifier);
    if (!kept || kept.send.nonce === send.nonce) return { shared: whole, own: undefined, whole };
    return { shared: whole.subarray(0, kept.nonceAt), own: encodeNonce(send.nonce), whole };
  }

  #compose(send: Send, variant: Variant, identifier: string): Buffer {
    const resources = send.resources as readonly CachedResource[];
    const fields = resources.map((resource) => fieldOf(resource, send, variant));
    const nonce = encodeNonce(send.nonce);
    const { whole: frame } = frameOf([...responseParts(send, variant, identifier, fields), nonce]);
    const kept = { variant, send, identifier, frame, nonceAt: frame.length - nonce.length };
    let bytes = 0;
    this.#kept = [kept, ...this.#kept.slice(0, MAX_KEPT - 1)].filter(({ frame: { length } }, index) => {
      bytes += length;
      return index === 0 || bytes <= MAX_KEPT_BYTES;
    });
    this.#cancelForget?.();
    this.#cancelForget = this.#clock.after(KEPT_MS, () => {
      this.#kept = [];
    });
    return frame;
  }
}

/** A message that no other stream shares. */
export function frameOf(parts: readonly Uint8Array[]): ResponseFrame {
  const whole = Buffer.concat([new Uint8Array(GRPC_PREFIX_BYTES), ...parts]);
  whole.writeUInt32BE(whole.length - GRPC_PREFIX_BYTES, 1);
  return { shared: whole, own: undefined, whole };
}

/** The message without its prefix, for a transport that adds the prefix itself. */
export function messageOf({ shared, own }: ResponseFrame): Buffer {
  const message = shared.subarray(GRPC_PREFIX_BYTES);
  return own === undefined ? message : Buffer.concat([message, own]);
}

/** The nonces may differ, but not in length, since the prefix of the frame depends on it. */
function isSameContent(kept: Kept, send: Send, variant: Variant, identifier: string): boolean {
  const other = kept.send;
  return (
    other.nonce.length === send.nonce.length &&
    kept.variant === variant &&
    kept.identifier === identifier &&
    other.typeUrl === send.typeUrl &&
    other.version === send.version &&
    other.heartbeat === send.heartbeat &&
    other.withTtl === send.withTtl &&
    isSameList(other.resources, send.resources) &&
    isSameList(other.removed, send.removed)
  );
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

function fieldOf(resource: CachedResource, send: Send, variant: Variant): Uint8Array {
  if (variant === "delta") return send.heartbeat ? encodeHeartbeat(resource) : resource.deltaField;
  return send.withTtl && resource.ttlMs !== undefined ? wrapForSotw(resource.deltaField) : resource.sotwField;
}
