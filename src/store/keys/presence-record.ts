import { parseKeyOf, parseName } from "../../domain/name.ts";
import type { LastHeld, LastOfType, Presence, PresencePart } from "../../domain/presence.ts";
import { below, type RecordForm, readFields, writeText } from "./record-form.ts";

/** Longest form of one proxy, in bytes: what it last had is shortened until it fits. */
export const MAX_PRESENCE_BYTES = 4_000;
/** Counts are told in 32 bits. */
const MAX_COUNT = 0xffff_ffff;

/**
 * Which proxies of a fleet are there, and which are gone: `presence/projects/P/fleets/F/N`, where N counts the parts. Fields
 * that are missing are empty, others are ignored; a proxy without an id or a state is not there.
 */
export const PRESENCE: RecordForm<PresencePart> = {
  ...below("presence/"),
  nameOf: (key) => {
    const [, fleet = "", part] = /^presence\/(.+)\/(0|[1-9]\d{0,5})$/.exec(key) ?? [];
    return part !== undefined && parseKeyOf("fleet", fleet) !== undefined ? `${fleet}/${part}` : undefined;
  },
  what: "record of a fleet's proxies",
  encode: ({ fleet, proxies }) =>
    writeText(`{"fleet":${JSON.stringify(fleet)},"proxies":[${proxies.map(fitted).join()}]}`),
  decode: (bytes) => {
    const { fleet, proxies } = readFields(bytes);
    if (typeof fleet !== "string" || !parseName("fleet", fleet).ok || !Array.isArray(proxies)) return undefined;
    return { fleet, proxies: proxies.flatMap(readPresence) };
  },
};

/** Whether a proxy can be recorded at all. */
export function isRecordable(presence: Presence): boolean {
  return bytesOf(JSON.stringify({ ...presence, last: undefined })) <= MAX_PRESENCE_BYTES;
}

function fitted(presence: Presence): string {
  const whole = JSON.stringify(presence);
  if (bytesOf(whole) <= MAX_PRESENCE_BYTES) return whole;
  const types = presence.last?.types.map((type) => ({ ...type, refusals: [] })) ?? [];
  const shorter = JSON.stringify({ ...presence, last: { settled: presence.last?.settled ?? "", types } });
  return bytesOf(shorter) <= MAX_PRESENCE_BYTES ? shorter : JSON.stringify({ ...presence, last: undefined });
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

function readPresence(given: unknown): Presence[] {
  const { id, state, since, last, ...texts } = fieldsOf(given);
  if (typeof id !== "string" || id === "" || (state !== "here" && state !== "gone")) return [];
  const { replica, cluster, client, envoyVersion, variant, region, zone } = texts;
  return [
    {
      id,
      state,
      since: count(since),
      replica: text(replica),
      cluster: text(cluster),
      client: text(client),
      envoyVersion: text(envoyVersion),
      variant: variant === "sotw" ? "sotw" : "delta",
      region: text(region),
      zone: text(zone),
      ...(last !== undefined && { last: readLast(last) }),
    },
  ];
}

function readLast(given: unknown): LastHeld {
  const { settled, types } = fieldsOf(given);
  return { settled: text(settled), types: list(types).flatMap(readType) };
}

function readType(given: unknown): LastOfType[] {
  const { typeUrl, shortName, state, known, refused, refusals } = fieldsOf(given);
  if (typeof typeUrl !== "string" || typeof shortName !== "string") return [];
  const states = ["idle", "sent", "acked", "refused", "missing"] as const;
  return [
    {
      typeUrl,
      shortName,
      state: states.find((one) => one === state) ?? "idle",
      known: Math.min(count(known), MAX_COUNT),
      refused: Math.min(count(refused), MAX_COUNT),
      refusals: list(refusals).map((one) => {
        const { name, message } = fieldsOf(one);
        return { name: text(name), message: text(message) };
      }),
    },
  ];
}

function fieldsOf(given: unknown): Record<string, unknown> {
  return typeof given === "object" && given !== null ? { ...given } : {};
}

function list(given: unknown): readonly unknown[] {
  return Array.isArray(given) ? given : [];
}

function text(given: unknown): string {
  return typeof given === "string" ? given : "";
}

function count(given: unknown): number {
  return Number.isSafeInteger(given) && (given as number) >= 0 ? (given as number) : 0;
}
