import type { Name } from "../domain/name.ts";
import type { RecentCheck, RecentChecks, StaleService } from "../operations/observing/checks.ts";
import { parseJson } from "./peer-json.ts";

/** The most checks of one backend that are accepted from another replica, which keeps fewer. */
const MAX_CHECKS = 16;
const MAX_REASON_LENGTH = 256;

/**
 * Reads what another replica reports of its checks: JSON, to which a later release may add. What is not known is ignored, and
 * what cannot be true is left out.
 *
 * @param now Milliseconds since the epoch; a reported time after it, by a clock that is ahead, counts as now.
 */
export function readStale(bytes: Uint8Array, now: number): readonly (readonly [Name, StaleService])[] {
  const told = parseJson(bytes);
  if (!Array.isArray(told)) return [];
  return told.flatMap((entry: unknown): (readonly [Name, StaleService])[] => {
    if (!Array.isArray(entry)) return [];
    const [name, found] = entry as unknown[];
    if (typeof name !== "string" || !isRecord(found)) return [];
    const { backends, since } = found;
    return isCount(backends) ? [[name, { backends, since: pastTime(since, now) }]] : [];
  });
}

/** @param worker The replica that answered, whose checks they are. */
export function readRecent(bytes: Uint8Array, worker: string, now: number): RecentChecks | undefined {
  const told = parseJson(bytes);
  if (!isRecord(told) || !Array.isArray(told["checks"]) || told["checks"].length > MAX_CHECKS) return undefined;
  return { worker, checks: told["checks"].flatMap((check: unknown) => readCheck(check, now) ?? []) };
}

function readCheck(check: unknown, now: number): RecentCheck | undefined {
  if (!isRecord(check)) return undefined;
  const { at, outcome, reason, durationMs } = check;
  if (outcome !== "pass" && outcome !== "degraded" && outcome !== "fail") return undefined;
  if (typeof reason !== "string" || !isCount(Math.floor(Number(durationMs)))) return undefined;
  const time = { at: pastTime(at, now), durationMs: Number(durationMs) };
  return { outcome, reason: reason.slice(0, MAX_REASON_LENGTH), ...time };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= MAX_COUNT;
}

/** More backends than a store holds, and more milliseconds than a check lasts. */
const MAX_COUNT = 1_000_000_000;

function pastTime(value: unknown, now: number): number {
  return typeof value === "number" && value >= 0 && value <= now ? value : now;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
