import { type Duration, durationMs, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";

/** For people, with one unit: `38 ms`, `0.4 s`, `18 s`, `3 min`, `2 h`, `5 d`. */
export function formatDuration(ms: number): string {
  if (ms < 100) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 90_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

/** The same, for a duration of the API; `0 ms` where it is not set. */
export function durationText(duration: Duration | undefined): string {
  return formatDuration(duration === undefined ? 0 : durationMs(duration));
}

/** How long ago a moment was; `-` when there is none. */
export function formatAge(timestamp: Timestamp | undefined, nowMs: number): string {
  return timestamp === undefined ? "-" : formatDuration(Math.max(0, nowMs - timestampMs(timestamp)));
}

/** `3 min ago`; says so when the time lies ahead of this machine's clock, as a store's may. */
export function formatAgo(timestamp: Timestamp, nowMs: number): string {
  const agoMs = nowMs - timestampMs(timestamp);
  if (agoMs > -AHEAD_SHOWN_MS) return `${formatDuration(Math.max(0, agoMs))} ago`;
  return `${formatDuration(-agoMs)} ahead of this machine's clock`;
}

const AHEAD_SHOWN_MS = 60_000;
