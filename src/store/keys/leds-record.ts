import type { LedsRecord } from "../../domain/leds-record.ts";
import { parseKeyOf, storeKey } from "../../domain/name.ts";
import { type RecordForm, readFields, writeText } from "./record-form.ts";

const KEYS = "leds/";

/** A generation becomes part of resource names, and the next one is counted from it. */
const GENERATION = /^[0-9a-z]{1,10}$/;

/** For each service that is delivered by LEDS: beside the objects, since only the duty writes it. */
export const LEDS: RecordForm<LedsRecord> = {
  keys: KEYS,
  what: "account of a service's endpoint collections",
  key: (service) => KEYS + storeKey("service", service),
  nameOf: (key) => parseKeyOf("service", key.slice(KEYS.length)),
  encode: ({ generation, epoch, digest, departed }) =>
    writeText(JSON.stringify({ generation, epoch, digest, departed })),
  decode: (bytes) => {
    const { generation, epoch, digest, departed } = readFields(bytes);
    if (typeof generation !== "string" || !GENERATION.test(generation)) return undefined;
    if (typeof epoch !== "number" || typeof digest !== "string" || !Array.isArray(departed)) return undefined;
    return { generation, epoch, digest, departed: departed.filter((name) => typeof name === "string") };
  },
};
