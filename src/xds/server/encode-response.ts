import type { Clock } from "../../runtime/clock.ts";
import type { Send } from "../protocol/events.ts";
import type { CachedResource } from "./cached-resource.ts";
import type { Variant } from "./services.ts";
import { deltaResponseParts, discoveryResponseParts, encodeHeartbeat, encodeNonce, wrapForSotw } from "./wire.ts";

/**
 * One gRPC message, length prefix and all, in two parts: what every stream with the same content writes, as the same
 * memory, and the nonce, which is one stream's own.
 */
export type ResponseFrame = { readonly shared: Buffer; readonly own: Buffer };

const GRPC_PREFIX_BYTES = 5;
/** Contents that are remembered at a time, and for how long after the last one was new. */
const MAX_KEPT = 16;
const KEPT_MS = 1000;

type Kept = {
  readonly variant: Variant;
  readonly send: Send;
  readonly identifier: string;
  readonly nonceBytes: number;
  readonly shared: Buffer;
};

/**
 * Turns responses into bytes. Streams with the same things due, in one publication or one storm of connections, share
 * one buffer of a thousand streams instead of a thousand buffers.
 */
export class ResponseEncoder {
  readonly #clock: Clock;
  #kept: Kept[] = [];
  #cancelForget: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  encode(send: Send, variant: Variant, identifier: string): ResponseFrame {
    const own = encodeNonce(send.nonce);
    return { shared: this.#find(send, variant, identifier, own.length), own };
  }

  #find(send: Send, variant: Variant, identifier: string, nonceBytes: number): Buffer {
    for (const kept of this.#kept) if (isSameContent(kept, send, variant, identifier, nonceBytes)) return kept.shared;
    return this.#compose(send, variant, identifier, nonceBytes);
  }

  #compose(send: Send, variant: Variant, identifier: string, nonceBytes: number): Buffer {
    const parts = variant === "delta" ? deltaParts(send, identifier) : sotwParts(send, identifier);
    const shared = Buffer.concat([new Uint8Array(GRPC_PREFIX_BYTES), ...parts]);
    shared.writeUInt32BE(shared.length - GRPC_PREFIX_BYTES + nonceBytes, 1);
    this.#kept = [{ variant, send, identifier, nonceBytes, shared }, ...this.#kept.slice(0, MAX_KEPT - 1)];
    this.#cancelForget?.();
    this.#cancelForget = this.#clock.after(KEPT_MS, () => {
      this.#kept = [];
    });
    return shared;
  }
}

/** The message without its prefix, for whoever frames by itself. */
export function messageOf({ shared, own }: ResponseFrame): Buffer {
  return Buffer.concat([shared.subarray(GRPC_PREFIX_BYTES), own]);
}

function isSameContent(kept: Kept, send: Send, variant: Variant, identifier: string, nonceBytes: number): boolean {
  const other = kept.send;
  return (
    kept.nonceBytes === nonceBytes &&
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

function deltaParts(send: Send, identifier: string): Uint8Array[] {
  const resources = send.resources as readonly CachedResource[];
  const fields = resources.map((each) => (send.heartbeat ? encodeHeartbeat(each) : each.deltaField));
  return deltaResponseParts(send, identifier, fields);
}

function sotwParts(send: Send, identifier: string): Uint8Array[] {
  const resources = send.resources as readonly CachedResource[];
  const fields = resources.map((each) => {
    return send.withTtl && each.ttlMs !== undefined ? wrapForSotw(each.deltaField) : each.sotwField;
  });
  return discoveryResponseParts(send, identifier, fields);
}
