import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";

/** The reader's time zone: that of this machine, or of `TZ`. */
export interface Zone {
  /** For example `Europe/Vienna`. Default: UTC. */
  readonly timeZone?: string | undefined;
}

/** The most that a `Date` can hold, on either side of the epoch. */
const MAX_DATE_MS = 8.64e15;
const DAY_MS = 86_400_000;

/** `2026-11-20 19:57:24 CET`; `-` when there is none, plain seconds when it is out of a `Date`'s range. */
export function formatMoment(timestamp: Timestamp | undefined, zone: Zone): string {
  if (timestamp === undefined) return "-";
  const ms = timestampMs(timestamp);
  return Math.abs(ms) > MAX_DATE_MS ? `${timestamp.seconds} s` : formatMs(ms, zone);
}

function formatMs(ms: number, { timeZone = "UTC" }: Zone): string {
  const { year, month, day, hour, minute, second, zone } = partsIn(timeZone, ms);
  return `${year}-${month}-${day} ${hour}:${minute}:${second} ${zone}`;
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
  const daytime = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (daytime !== null) {
    const [hour, minute, second] = [Number(daytime[1]), Number(daytime[2]), Number(daytime[3] ?? 0)];
    if (hour > 23 || minute > 59 || second > 59) return undefined;
    const [today, tomorrow] = [0, DAY_MS].map((later) => {
      const { year, month, day } = partsIn(timeZone, now + later);
      return atWallClock(Date.UTC(Number(year), Number(month) - 1, Number(day), hour, minute, second), timeZone);
    });
    return today !== undefined && today > now ? today : tomorrow;
  }
  const full = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (full === null) return undefined;
  const asUtc = Date.parse(`${full[1]}T${full[2]}${full[3] ?? "Z"}`);
  if (Number.isNaN(asUtc)) return undefined;
  return full[3] === undefined ? atWallClock(asUtc, timeZone) : asUtc;
}

/** The moment at which a zone's clocks show what UTC's show at `shown`. */
function atWallClock(shown: number, timeZone: string): number {
  // The second look is for zones that change their clocks in between.
  const near = shown - offsetAt(shown, timeZone);
  return shown - offsetAt(near, timeZone);
}

function offsetAt(ms: number, timeZone: string): number {
  const { year, month, day, hour, minute, second } = partsIn(timeZone, ms);
  const shown = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return shown - Math.floor(ms / 1000) * 1000;
}

function partsIn(timeZone: string, ms: number) {
  const parts = formatOf(timeZone).formatToParts(ms);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? "";
  return {
    year: part("year").padStart(4, "0"),
    month: part("month"),
    day: part("day"),
    hour: part("hour"),
    minute: part("minute"),
    second: part("second"),
    zone: part("timeZoneName"),
  };
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
