import { type Duration, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import ipaddr from "ipaddr.js";
import type { Violation } from "../domain/errors.ts";
import {
  MAX_ANNOTATION_VALUE_LENGTH,
  MAX_ANNOTATIONS,
  MAX_LABEL_KEY_LENGTH,
  MAX_LABEL_VALUE_LENGTH,
  MAX_LABELS,
  MAX_PORT,
  MIN_PORT,
} from "../domain/limits.ts";
import type { Meta } from "../domain/meta.ts";
import { formatName, type Kind, type Name, parseName } from "../domain/name.ts";
import type { Meta as MetaMessage } from "../gen/fairlead/admin/v1/meta_pb.ts";

/** Records a bad field. Parsing goes on with a harmless value, so one answer lists every bad field. */
export interface Report {
  (field: string, message: string): void;
  /**
   * For what an earlier release accepted: looked for only when an object is written, where it makes a bad field. What is
   * stored is read as it is, and code that uses such a field has to cope with it.
   */
  readonly whenWritten: (field: string, find: () => string | undefined) => void;
}

/** @param from What the store holds was accepted by the release that wrote it. */
export function collectViolations(from: "write" | "store" = "write"): { report: Report; violations: Violation[] } {
  const violations: Violation[] = [];
  const report = (field: string, message: string) => {
    violations.push({ field, message });
  };
  const whenWritten: Report["whenWritten"] = (field, find) => {
    const message = from === "write" ? find() : undefined;
    if (message !== undefined) report(field, message);
  };
  return { violations, report: Object.assign(report, { whenWritten }) };
}

/** The canonical spelling of a reference; the text itself where it is not a name. */
export function checkName(report: Report, field: string, kind: Kind, text: string): Name {
  const parsed = parseName(kind, text);
  if (parsed.ok) return formatName(kind, parsed.parts);
  report(field, parsed.message);
  return text;
}

export function checkRange(
  report: Report,
  field: string,
  value: number,
  { min, max, unit = "" }: { min: number; max: number; unit?: string },
): number {
  if (value < min || value > max || Number.isNaN(value)) report(field, `must be ${min} to ${max}${unit}, not ${value}`);
  return value;
}

/**
 * A number that may be left out. 0 is a number like any other: where it is outside the field's range, it is refused.
 *
 * @param cure What to do instead of writing 0, where leaving the field out is not what is meant.
 */
export function checkRangeOr<Otherwise extends number | undefined>(
  report: Report,
  field: string,
  value: number | undefined,
  { min, max, otherwise, cure }: { min: number; max: number; otherwise: Otherwise; cure?: string },
): number | Otherwise {
  if (value === undefined) return otherwise;
  if (value !== 0 || min <= 0) return checkRange(report, field, value, { min, max });
  report(field, `must be ${min} to ${max}, not 0; ${cure ?? "leave it out for the default"}`);
  return otherwise;
}

export function checkLength(report: Report, field: string, text: string, max: number): string {
  if (text.length > max) report(field, `must have at most ${max} characters, not ${text.length}`);
  return text;
}

export function checkCount(
  report: Report,
  field: string,
  count: number,
  { min = 0, max }: { min?: number; max: number },
): void {
  if (count < min) report(field, min === 1 ? "must not be empty" : `must have at least ${min} entries`);
  if (count > max) report(field, `must have at most ${max} entries, not ${count}`);
}

/** A duration in milliseconds, or the default where it is absent. */
export function checkDuration(
  report: Report,
  field: string,
  duration: Duration | undefined,
  { minMs, maxMs, otherwiseMs }: { minMs: number; maxMs: number; otherwiseMs: number },
): number {
  if (duration === undefined) return otherwiseMs;
  const ms = Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
  if (ms < minMs || ms > maxMs || Number.isNaN(ms)) {
    report(field, `must be ${seconds(minMs)} to ${seconds(maxMs)}, not ${seconds(ms)}`);
  } else if (!Number.isInteger(ms)) {
    report(field, "must be whole milliseconds");
  }
  return ms;
}

/** The name of an enum value; the default for the unspecified one. */
export function checkEnum<T extends string>(
  report: Report,
  field: string,
  value: number,
  { values, otherwise }: { values: Readonly<Record<number, string | undefined>>; otherwise: T },
): T {
  if (value === 0) return otherwise;
  const name = values[value];
  if (name !== undefined) return name as T;
  report(field, `${value} is not a known value`);
  return otherwise;
}

export function checkEntries(
  report: Report,
  field: string,
  entries: Readonly<Record<string, string>>,
  { count, keyLength, valueLength }: { count: number; keyLength: number; valueLength: number },
): Readonly<Record<string, string>> {
  const all = Object.entries(entries);
  checkCount(report, field, all.length, { max: count });
  for (const [key, value] of all) {
    if (key === "") report(field, "must not have an empty key");
    checkLength(report, `${field}.${key.slice(0, keyLength)}`, key, keyLength);
    checkLength(report, `${field}.${key.slice(0, keyLength)}`, value, valueLength);
  }
  return entries;
}

export interface SocketAddress {
  readonly ip: string;
  readonly port: number;
}

/** Reads `10.0.4.7:9001` or `[2001:db8::1]:9001`. Returns the address in its canonical form. */
export function checkAddress(report: Report, field: string, text: string): SocketAddress {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,10})$/.exec(text);
  if (match === null) {
    report(field, `"${text}" is not an IP literal and a port, for example \`10.0.4.7:9001\` or \`[2001:db8::1]:9001\``);
    return { ip: "0.0.0.0", port: MIN_PORT };
  }
  const [, ipv6, ipv4, digits] = match;
  const port = checkRange(report, field, Number(digits), { min: MIN_PORT, max: MAX_PORT, unit: " (the port)" });
  const ip = ipv6 === undefined ? canonicalIpv4(ipv4 ?? "") : canonicalIpv6(ipv6);
  if (ip === undefined) {
    report(field, `"${ipv6 ?? ipv4}" is not an IP literal: host names are not resolved here`);
    return { ip: "0.0.0.0", port };
  }
  return { ip, port };
}

function canonicalIpv4(text: string): string | undefined {
  return ipaddr.IPv4.isValidFourPartDecimal(text) && !/(^|\.)0\d/.test(text) ? text : undefined;
}

function canonicalIpv6(text: string): string | undefined {
  return !text.includes("%") && ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text).toString() : undefined;
}

/** What every object carries, and its own name. Meta is the plane's own, so it is not checked. */
export function parseIdentity(
  report: Report,
  kind: Kind,
  message: {
    name: string;
    readonly meta?: MetaMessage | undefined;
    readonly labels: Meta["labels"];
    readonly annotations: Meta["annotations"];
  },
): { readonly name: Name; readonly meta: Meta } {
  message.name = checkName(report, "name", kind, message.name);
  const labels = checkEntries(report, "labels", message.labels, {
    count: MAX_LABELS,
    keyLength: MAX_LABEL_KEY_LENGTH,
    valueLength: MAX_LABEL_VALUE_LENGTH,
  });
  const annotations = checkEntries(report, "annotations", message.annotations, {
    count: MAX_ANNOTATIONS,
    keyLength: MAX_LABEL_KEY_LENGTH,
    valueLength: MAX_ANNOTATION_VALUE_LENGTH,
  });
  return { name: message.name, meta: readMeta(message.meta, labels, annotations) };
}

export function readMeta(
  meta: MetaMessage | undefined,
  labels: Meta["labels"] = {},
  annotations: Meta["annotations"] = {},
): Meta {
  return {
    uid: meta?.uid ?? "",
    generation: Number(meta?.generation ?? 0n),
    version: meta?.version ?? "",
    labels,
    annotations,
    owner: meta?.owner ?? "",
    createdAt: readTime(meta?.createTime) ?? 0,
    updatedAt: readTime(meta?.updateTime) ?? 0,
    requestId: meta?.requestId ?? "",
  };
}

export function readTime(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : timestampMs(time);
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}
