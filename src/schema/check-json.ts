import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { didYouMean } from "./did-you-mean.ts";
import { parseDuration } from "./duration-text.ts";
import type { Report } from "./field-checks.ts";
import { fieldNamed, fieldNames } from "./message-fields.ts";

/**
 * Compares JSON with a message's descriptor and reports each unknown field, unknown enum value and wrong type at its path,
 * as the user wrote it. JSON that passes can be read by `fromJson` once its durations are in seconds.
 */
export function checkJson(desc: DescMessage, json: unknown, path: string, report: Report): void {
  if (desc.typeName === "google.protobuf.Duration") {
    checkDurationText(json, path, report);
    return;
  }
  if (desc.typeName === "google.protobuf.Timestamp") {
    checkTimestampText(json, path, report);
    return;
  }
  if (!isRecord(json)) {
    report(path, `must be an object with fields, not ${describe(json)}`);
    return;
  }
  const groups = new Map<string, string>();
  for (const [key, value] of Object.entries(json)) {
    const at = path === "" ? key : `${path}.${key}`;
    const field = fieldNamed(desc, key);
    if (field === undefined) {
      report(at, `unknown field${didYouMean(key, fieldNames(desc))}`);
      continue;
    }
    if (value === null) continue;
    if (field.oneof !== undefined) {
      const other = groups.get(field.oneof.name);
      if (other !== undefined) report(at, `must not be given together with \`${other}\``);
      groups.set(field.oneof.name, key);
    }
    checkField(field, value, at, report);
  }
}

function checkField(field: DescField, json: unknown, path: string, report: Report): void {
  if (field.fieldKind === "list") {
    if (!Array.isArray(json)) {
      report(path, `must be a list, not ${describe(json)}`);
      return;
    }
    for (const [i, item] of json.entries()) checkValue(field, item, `${path}[${i}]`, report);
  } else if (field.fieldKind === "map") {
    if (!isRecord(json)) {
      report(path, `must be an object with keys and values, not ${describe(json)}`);
      return;
    }
    for (const [key, value] of Object.entries(json)) checkValue(field, value, `${path}.${key}`, report);
  } else {
    checkValue(field, json, path, report);
  }
}

function checkValue(field: DescField, json: unknown, path: string, report: Report): void {
  if (field.message !== undefined) checkJson(field.message, json, path, report);
  else if (field.enum !== undefined) checkEnumText(field.enum, json, path, report);
  else if (field.scalar !== undefined) checkScalar(field.scalar, json, path, report);
}

function checkEnumText(desc: DescEnum, json: unknown, path: string, report: Report): void {
  const known = desc.values.filter(({ number }) => number !== 0).map(({ name }) => name);
  if (typeof json === "number" && desc.values.some(({ number }) => number === json)) return;
  if (typeof json === "string" && desc.values.some(({ name }) => name === json)) return;
  const hint = typeof json === "string" ? didYouMean(json, known) : "";
  report(path, `must be one of ${known.join(", ")}, not ${describe(json)}${hint}`);
}

const RANGES: Readonly<Partial<Record<ScalarType, readonly [min: bigint, max: bigint]>>> = {
  [ScalarType.INT32]: [-(2n ** 31n), 2n ** 31n - 1n],
  [ScalarType.UINT32]: [0n, 2n ** 32n - 1n],
  [ScalarType.INT64]: [-(2n ** 63n), 2n ** 63n - 1n],
  [ScalarType.UINT64]: [0n, 2n ** 64n - 1n],
};

function checkScalar(scalar: ScalarType, json: unknown, path: string, report: Report): void {
  if (scalar === ScalarType.STRING) {
    if (typeof json !== "string") report(path, `must be text, not ${describe(json)}; quote it`);
    return;
  }
  if (scalar === ScalarType.BOOL) {
    if (typeof json !== "boolean") report(path, `must be true or false, not ${describe(json)}`);
    return;
  }
  const range = RANGES[scalar];
  if (range === undefined) return;
  const [min, max] = range;
  const whole =
    typeof json === "number" ? Number.isSafeInteger(json) : typeof json === "string" && /^-?\d{1,20}$/.test(json);
  if (!whole || BigInt(json as number | string) < min || BigInt(json as number | string) > max) {
    report(path, `must be a whole number from ${min} to ${max}, not ${describe(json)}`);
  }
}

function checkDurationText(json: unknown, path: string, report: Report): void {
  if (typeof json === "string" && parseDuration(json) !== undefined) return;
  report(path, `must be a duration such as "30s", "500ms", "5m" or "1h30m", not ${describe(json)}${withUnit(json)}`);
}

/** A suggestion for a number without its unit, or apart from it. */
function withUnit(json: unknown): string {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,9})?) ?([a-z]*)$/.exec(String(json)) ?? [];
  if (number === undefined) return "";
  const text = number + (unit === "" ? "s" : unit);
  return parseDuration(text) === undefined ? "" : `; did you mean "${text}"?`;
}

function checkTimestampText(json: unknown, path: string, report: Report): void {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
  if (typeof json === "string" && form.test(json) && !Number.isNaN(Date.parse(json))) return;
  report(path, `must be a time such as "2026-11-20T12:00:00Z", not ${describe(json)}`);
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function describe(json: unknown): string {
  if (json === null || json === undefined) return "nothing";
  if (Array.isArray(json)) return "a list";
  if (typeof json === "object") return "an object";
  const text = JSON.stringify(json) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
