import { type Duration, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Violation } from "../domain/errors.ts";
import { isIpv4, readIp } from "../domain/ip-address.ts";
import { PORT } from "../domain/limits.ts";
import type { Meta } from "../domain/meta.ts";
import { formatName, type Kind, type Name, parseName } from "../domain/name.ts";
import type { Meta as MetaMessage } from "../gen/fairlead/admin/v1/meta_pb.ts";

/**
 * Records a bad field. Parsing goes on with a harmless value, so one answer lists every bad field. A message continues the
 * field's name: `must be from 1 to 100, not 0`.
 */
export interface Report {
  (field: string, message: string): void;
  /**
   * For what an earlier release accepted: looked for only when an object is written, where it makes a bad field. What is
   * stored is read as it is, and code that uses such a field has to cope with it.
   */
  readonly whenWritten: (field: string, find: () => string | undefined) => void;
  /** For the fields of a message at this path; an empty field means that message itself. */
  readonly at: (path: string) => Report;
}

/** @param from What the store holds was accepted by the release that wrote it. */
export function collectViolations(from: "write" | "store" = "write"): { report: Report; violations: Violation[] } {
  const violations: Violation[] = [];
  const reportAt = (path: string): Report => {
    const report = (field: string, message: string) => {
      violations.push({ field: joinPath(path, field), message });
    };
    const whenWritten: Report["whenWritten"] = (field, find) => {
      const message = from === "write" ? find() : undefined;
      if (message !== undefined) report(field, message);
    };
    return Object.assign(report, { whenWritten, at: (inner: string) => reportAt(joinPath(path, inner)) });
  };
  return { violations, report: reportAt("") };
}

/** `rules` and `[0]` make `rules[0]`, that and `to` make `rules[0].to`. */
export function joinPath(path: string, field: string): string {
  return path === "" || field === "" || field.startsWith("[") ? path + field : `${path}.${field}`;
}

/** The canonical spelling of a reference; the text itself where it is not a name. */
export function checkName(report: Report, field: string, kind: Kind, text: string): Name {
  const parsed = parseName(kind, text);
  if (parsed.ok) return formatName(kind, parsed.parts);
  report(field, parsed.message);
  return text;
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** What to do instead of writing 0: it is a number like any other, and refused where it is outside the range. */
  readonly cure?: string;
}

export function checkRange(report: Report, field: string, value: number, { min, max, cure }: Range): void {
  if (value >= min && value <= max) return;
  const hint = value === 0 && cure !== undefined ? `; ${cure}` : "";
  report(field, `must be from ${min} to ${max}, not ${value}${hint}`);
}

export function checkLength(report: Report, field: string, text: string, max: number): void {
  if (text.length > max) report(field, `must have at most ${max} characters, not ${text.length}`);
}

export function checkCount(report: Report, field: string, count: number, { max }: { readonly max: number }): void {
  if (count > max) report(field, `must have at most ${max} entries, not ${count}`);
}

/** A duration in milliseconds that has been checked, or the default where it is absent. */
export function readDuration<Otherwise extends number | undefined>(
  duration: Duration | undefined,
  otherwiseMs: Otherwise,
): number | Otherwise {
  return duration === undefined ? otherwiseMs : Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
}

/** @param tooShort Why a shorter one will not do, where that is not plain. */
export function checkDuration(
  report: Report,
  field: string,
  duration: Duration,
  { minMs, maxMs, tooShort }: { readonly minMs: number; readonly maxMs: number; readonly tooShort?: string },
): void {
  const ms = readDuration(duration, 0);
  if (!(ms >= minMs && ms <= maxMs)) {
    const why = ms < minMs && tooShort !== undefined ? `: ${tooShort}` : "";
    report(field, `must be from ${minMs / 1000}s to ${maxMs / 1000}s, not ${ms / 1000}s${why}`);
  } else if (!Number.isInteger(ms)) {
    report(field, `must be a whole number of milliseconds, not ${ms}`);
  }
}

type EnumName<Values> = Exclude<keyof Values & string, `${string}_UNSPECIFIED`>;

/** The name of an enum value; the default for the unspecified one, which is 0. */
export function checkEnum<Values extends Readonly<Record<string, number>>>(
  report: Report,
  field: string,
  value: number,
  { values, otherwise }: { values: Values; otherwise: EnumName<Values> },
): EnumName<Values> {
  if (value === 0) return otherwise;
  const known = Object.keys(values) as EnumName<Values>[];
  const name = known.find((one) => values[one] === value);
  if (name === undefined) {
    report(field, `must be one of ${known.filter((one) => values[one] !== 0).join(", ")}, not ${value}`);
  }
  return name ?? otherwise;
}

export function checkEntries(
  report: Report,
  field: string,
  entries: Readonly<Record<string, string>>,
  { max, keyLength, valueLength }: { max: number; keyLength: number; valueLength: number },
): void {
  const all = Object.entries(entries);
  checkCount(report, field, all.length, { max });
  for (const [key, value] of all) {
    const place = `${field}.${key.slice(0, keyLength)}`;
    if (key === "") report(field, "must not have an empty key");
    checkLength(report, place, key, keyLength);
    checkLength(report, place, value, valueLength);
  }
}

/** Reads `10.0.4.7:9001` or `[2001:db8::1]:9001`. Returns the address in its canonical form. */
export function checkAddress(report: Report, field: string, text: string): Address | undefined {
  const [match, bracketed, plain = "", digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,10})$/.exec(text) ?? [];
  if (match === undefined) {
    const form = "an IP literal and a port, such as `10.0.4.7:9001` or `[2001:db8::1]:9001`";
    report(field, `must be ${form}, not "${text}"`);
    return undefined;
  }
  const literal = bracketed ?? plain;
  const isForm = literal.includes(":") === (bracketed !== undefined) && !literal.includes("%");
  const ip = !isForm ? undefined : isIpv4(literal) ? literal : readIp(literal)?.toString();
  const port = Number(digits);
  const isPort = port >= PORT.min && port <= PORT.max;
  if (!isPort) report(field, `must have a port from ${PORT.min} to ${PORT.max}, not ${port}`);
  if (ip === undefined) report(field, `must have an IP literal, not "${literal}": host names are not resolved here`);
  return ip === undefined || !isPort ? undefined : { ip, port };
}

interface Address {
  readonly ip: string;
  readonly port: number;
}

/** The parts of an address in its canonical form. */
export function readAddress(text: string): Address {
  const at = text.lastIndexOf(":");
  return { ip: text.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port: Number(text.slice(at + 1)) };
}

/** What every object carries, and its own name. */
export function parseIdentity(message: {
  readonly name: string;
  readonly meta?: MetaMessage | undefined;
  readonly labels: Meta["labels"];
  readonly annotations: Meta["annotations"];
}): { readonly name: Name; readonly meta: Meta } {
  const { name, meta, labels, annotations } = message;
  return { name, meta: readMeta(meta, labels, annotations) };
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
  return time && timestampMs(time);
}
