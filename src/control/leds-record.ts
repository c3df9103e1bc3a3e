import type { LedsRecord } from "../domain/leds-record.ts";
import { type Name, parseKeyOf, storeKey } from "../domain/name.ts";

export const LEDS_RECORDS = "leds/";

/** It becomes a part of resource names, and the next one is counted from it. */
const GENERATION = /^[0-9a-z]{1,10}$/;

/** Where a service's LEDS record is stored: beside the objects, since nobody but the duty writes it. */
export function ledsKey(service: Name): string {
  return LEDS_RECORDS + storeKey("service", service);
}

/** The service that a key holds the LEDS record of. */
export function parseLedsKey(key: string): Name | undefined {
  if (!key.startsWith(LEDS_RECORDS)) return undefined;
  return parseKeyOf("service", key.slice(LEDS_RECORDS.length));
}

export function encodeLeds({ generation, epoch, digest, departed }: LedsRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ generation, epoch, digest, departed }));
}

/** Nothing for bytes of another form: then the service is delivered by EDS until the duty writes it again. */
export function decodeLeds(bytes: Uint8Array): LedsRecord | undefined {
  try {
    const { generation, epoch, digest, departed } = JSON.parse(new TextDecoder().decode(bytes)) as Record<
      string,
      unknown
    >;
    if (
      typeof generation !== "string" ||
      !GENERATION.test(generation) ||
      typeof epoch !== "number" ||
      typeof digest !== "string"
    )
      return undefined;
    if (!Array.isArray(departed)) return undefined;
    return { generation, epoch, digest, departed: departed.filter((name) => typeof name === "string") };
  } catch {
    return undefined;
  }
}
