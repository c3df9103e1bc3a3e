import type { HashKey, SingleHashKey } from "./policy.ts";

/** Headers that every request has when it is hashed. */
const IN_EVERY_REQUEST: readonly string[] = [
  ...[":authority", ":method", ":path", ":scheme", "host"],
  ...["x-forwarded-for", "x-forwarded-proto", "x-request-id"],
];

/** Why every request has a key, so that none behind it is ever looked at; nothing for one that may be missing. */
function inEveryRequest(key: HashKey): string | undefined {
  if (key.kind !== "all") return inEvery(key);
  for (const one of key.keys) {
    const why = inEvery(one);
    if (why !== undefined) return why;
  }
  return undefined;
}

function inEvery(key: SingleHashKey): string | undefined {
  switch (key.kind) {
    case "sourceIp":
      return "every client has an address";
    case "cookie":
      return key.ttlMs === undefined ? undefined : "proxies make a cookie with a `ttl` for clients that have none";
    case "header":
      return IN_EVERY_REQUEST.includes(key.name) ? `every request has \`${key.name}\`` : undefined;
    case "queryParameter":
      return undefined;
  }
}

/** A key behind which no other counts. */
export interface HidingKey {
  readonly index: number;
  readonly why: string;
}

/** The first key that hides those behind it; nothing where it is the last, or there is none. */
export function hidingKey(keys: readonly HashKey[]): HidingKey | undefined {
  for (const [index, key] of keys.slice(0, -1).entries()) {
    const why = inEveryRequest(key);
    if (why !== undefined) return { index, why };
  }
  return undefined;
}
