import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { fieldNamed } from "./message-fields.ts";

/** How a duration is written in manifests, options and settings: numbers with their units, in any order. */
export const DURATION_PATTERN = String.raw`^([0-9]{1,12}(\.[0-9]{1,9})?(ms|s|min|m|h|d))+$`;

const PART = /(\d+)(?:\.(\d+))?(ms|s|min|m|h|d)/g;
const WHOLE = new RegExp(DURATION_PATTERN);

const SECOND = 1_000_000_000n;
const UNIT_NANOSECONDS: Readonly<Record<string, bigint>> = {
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  min: 60n * SECOND,
  h: 3600n * SECOND,
  d: 86_400n * SECOND,
};

/** The longest duration that protobuf allows: about 10,000 years. */
const MAX_NANOSECONDS = 315_576_000_000n * SECOND;

/** Reads `500ms`, `30s`, `5m`, `1.5h`, `1h30m`, `2d` as nanoseconds; undefined when it is none of these. */
export function parseDuration(text: string): bigint | undefined {
  if (!WHOLE.test(text)) return undefined;
  let sum = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of text.matchAll(PART)) {
    sum += (BigInt(whole + fraction) * (UNIT_NANOSECONDS[unit] ?? 0n)) / 10n ** BigInt(fraction.length);
  }
  return sum > MAX_NANOSECONDS ? undefined : sum;
}

/** `5m`, `300ms`: a duration as people write it, in the largest unit of which it is a whole number. */
export function durationOf(ms: number): string {
  const [unit, size] = WRITTEN_UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? ["s", 1000];
  return `${ms / size}${unit}`;
}

const WRITTEN_UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/**
 * The same JSON of a message, with its durations as `fromJson` reads them, in seconds: `{ interval: "5m" }` becomes
 * `{ interval: "300s" }`. Anything that is not a duration stays as it is.
 */
export function withDurationsInSeconds(desc: DescMessage, json: JsonValue): JsonValue {
  if (desc.typeName === "google.protobuf.Duration") return typeof json === "string" ? inSeconds(json) : json;
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  const entries = Object.entries(json).map(([key, value]): [string, JsonValue] => {
    const field = fieldNamed(desc, key);
    return [key, field?.message === undefined ? value : eachValue(field, field.message, value)];
  });
  return Object.fromEntries(entries);
}

function eachValue(field: DescField, desc: DescMessage, json: JsonValue): JsonValue {
  if (field.fieldKind === "list" && Array.isArray(json)) return json.map((item) => withDurationsInSeconds(desc, item));
  if (field.fieldKind !== "map") return withDurationsInSeconds(desc, json);
  const entries = Object.entries(json as JsonObject);
  return Object.fromEntries(entries.map(([key, value]) => [key, withDurationsInSeconds(desc, value)]));
}

function inSeconds(text: string): string {
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined) return text;
  const fraction = String(nanoseconds % SECOND)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return `${nanoseconds / SECOND}${fraction === "" ? "" : `.${fraction}`}s`;
}
