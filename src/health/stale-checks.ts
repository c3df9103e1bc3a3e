import type { Name } from "../domain/name.ts";
import type { StaleService } from "../operations/observing/checks.ts";

/** A backend whose newest check is older than this many intervals is stale. */
const STALE_INTERVALS = 3;

/** When a backend was checked last. */
export interface CheckAge {
  readonly service: Name;
  readonly intervalMs: number;
  /** Milliseconds since its newest check that said something; before the first, since a replica had to check it. */
  readonly ageMs: number;
}

/** The services of which checks no longer reach all backends. @param now By the wall clock. */
export function staleServices(ages: Iterable<CheckAge>, now: number): Map<Name, StaleService> {
  const found = new Map<Name, StaleService>();
  for (const { service, intervalMs, ageMs } of ages) {
    if (ageMs > STALE_INTERVALS * intervalMs) add(found, service, { backends: 1, since: Math.round(now - ageMs) });
  }
  return found;
}

/** Merges what several workers have found, each in its own share. */
export function mergeStale(parts: Iterable<Iterable<readonly [Name, StaleService]>>): Map<Name, StaleService> {
  const merged = new Map<Name, StaleService>();
  for (const part of parts) for (const [service, stale] of part) add(merged, service, stale);
  return merged;
}

function add(into: Map<Name, StaleService>, service: Name, { backends, since }: StaleService): void {
  const known = into.get(service);
  into.set(service, {
    backends: (known?.backends ?? 0) + backends,
    since: Math.min(known?.since ?? since, since),
  });
}
