import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";

/** The reader's time zone: that of this machine, or of `TZ`. */
export interface Zone {
  /** For example `Europe/Vienna`. Default: UTC. */
  readonly timeZone?: string | undefined;
}

/** The most that a `Date` can hold, on either side of the epoch. */
const MAX_DATE_MS = 8.64e15;

/** `2026-11-20 19:57:24 CET`; `-` when there is none, plain seconds when it is out of a `Date`'s range. */
export function formatMoment(timestamp: Timestamp | undefined, zone: Zone): string {
  if (timestamp === undefined) return "-";
  const ms = timestampMs(timestamp);
  return Math.abs(ms) > MAX_DATE_MS ? `${timestamp.seconds} s` : formatMs(ms, zone);
}

function formatMs(ms: number, { timeZone = "UTC" }: Zone): string {
  const parts = formatOf(timeZone).formatToParts(ms);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? "";
  const date = [part("year").padStart(4, "0"), part("month"), part("day")].join("-");
  return `${date} ${part("hour")}:${part("minute")}:${part("second")} ${part("timeZoneName")}`;
}

/**
 * Converts times in a plane's text, `since 2026-11-20T18:57:24.000Z`, to the reader's zone. A time that is quoted, or part
 * of a name or of a value, is left unchanged.
 */
export function withLocalTimes(text: string, zone: Zone): string {
  return text.replaceAll(/(?<![\w"'=/.:-])\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z(?![\w"'/-])/g, (time) => {
    const ms = Date.parse(time);
    return Number.isNaN(ms) ? time : formatMs(ms, zone);
  });
}

/** `19:57:24`, for where the zone is already shown, or does not matter. */
export function formatTimeOfDay(timestamp: Timestamp | undefined, zone: Zone): string {
  return formatMoment(timestamp, zone).split(" ")[1] ?? "-";
}

/**
 * Reads `18:00` (the next one), `2026-11-30T18:00` and `2026-11-30T18:00+01:00`; undefined for any other form.
 * Without an offset, the time is in the reader's zone.
 */
export function parseMoment(text: string, now: number, { timeZone = "UTC" }: Zone): number | undefined {
  try {
    if (/^\d{1,2}:\d{2}(:\d{2})?$/.test(text)) {
      const time = Temporal.PlainTime.from(text.replace(/^\d:/, "0$&"));
      const here = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone);
      const today = here.withPlainTime(time).epochMilliseconds;
      return today > now ? today : here.add({ days: 1 }).withPlainTime(time).epochMilliseconds;
    }
    const full = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
    if (full === null) return undefined;
    if (full[1] !== undefined) return Temporal.Instant.from(text).epochMilliseconds;
    return Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone).epochMilliseconds;
  } catch {
    // A time such as 25:00, or a date such as 30 February.
    return undefined;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Cached: making a format costs more than using it a thousand times. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const twoDigits = {
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  } as const;
  const made = new Intl.DateTimeFormat("en-GB", {
    ...twoDigits,
    year: "numeric",
    hourCycle: "h23",
    timeZone,
    timeZoneName: "short",
  });
  formats.set(timeZone, made);
  return made;
}
