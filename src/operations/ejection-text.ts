import { fleetsByService } from "../domain/fleet-backends.ts";
import { FIRST_FLEET_PROFILE, fleetProfile } from "../domain/fleet-profile.ts";
import type { Name } from "../domain/name.ts";
import { effectivePolicy } from "../domain/routing-state.ts";
import type { State } from "../domain/state.ts";

/** Where a proxy shows what it has ejected. */
const WHERE = "a proxy shows it as `failed_outlier_check` under /clusters of its admin interface";

/**
 * What is known of ejections by the proxies themselves: that they may be, and of how many at a time; never whether, since no
 * proxy tells its control plane. Empty where none may be.
 */
export function ejectionText(state: State, service: Name): string {
  const { outlierDetection } = effectivePolicy(state, service).policy;
  if (outlierDetection === undefined) return "";
  const backends = [...state.backendsOf(service)].length;
  const counts = new Map<number, Name[]>();
  for (const fleet of fleetsByService(state).get(service) ?? []) {
    const { maxEjectionPercent } = fleetProfile(state.get("fleet", fleet)?.profile ?? FIRST_FLEET_PROFILE);
    const most = Math.floor((backends * (outlierDetection.maxEjectionPercent ?? maxEjectionPercent)) / 100);
    counts.set(most, [...(counts.get(most) ?? []), fleet]);
  }
  const shares = [...counts]
    .toSorted(([a], [b]) => b - a)
    .map(
      ([most, fleets]) =>
        `${most === 0 ? "none" : `at most ${most}`} of ${backends} at a time in fleet ${fleets.join(", ")}`,
    );
  if (shares.length === 0) return "";
  const rule = `each proxy may stop sending to a backend after ${outlierDetection.consecutive5xx} answers of 5xx in a row`;
  return `not known: ${rule}, ${shares.join("; ")}; ${WHERE}`;
}
