import type { Send } from "../protocol/events.ts";
import type { CachedResource } from "./cached-resource.ts";
import type { Variant } from "./services.ts";
import { encodeHeartbeat, wrapForSotw, writeDeltaResponse, writeDiscoveryResponse } from "./wire.ts";

/** Turns a response into bytes, from the fragments that its resources share with every other stream. */
export function encodeResponse(send: Send, variant: Variant, identifier: string): Buffer {
  const resources = send.resources as readonly CachedResource[];
  if (variant === "delta") {
    const fields = resources.map((each) => (send.heartbeat ? encodeHeartbeat(each) : each.deltaField));
    return writeDeltaResponse(send, identifier, fields);
  }
  const fields = resources.map((each) => {
    return send.withTtl && each.ttlMs !== undefined ? wrapForSotw(each.deltaField) : each.sotwField;
  });
  return writeDiscoveryResponse(send, identifier, fields);
}
