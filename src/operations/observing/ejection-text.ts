import { fleetsByService, leftOutByFleet } from "../../domain/fleet-backends.ts";
import { profileOf } from "../../domain/fleet-profile.ts";
import type { Name } from "../../domain/name.ts";
import { effectivePolicy } from "../../domain/routing-state.ts";
import type { State } from "../../domain/state.ts";

/**
 * What is known of ejections by the proxies themselves: that they may happen, and to how many backends at once; never
 * whether they do, since no proxy tells its control plane. Empty where no proxy ejects.
 */
export function ejectionText(state: State, service: Name): string {
  const { outlierDetection } = effectivePolicy(state, service).policy;
  const fleets = fleetsByService(state).get(service) ?? [];
  if (outlierDetection === undefined || fleets.length === 0) return "";
  const members = [...state.backendsOf(service)].length;
  const leftOut = leftOutByFleet(state, service);
  const shares = fleets.map((fleet) => {
    const { maxEjectionPercent } = profileOf(state, fleet);
    const percent = outlierDetection.maxEjectionPercent ?? maxEjectionPercent;
    const count = members - (leftOut.get(fleet)?.length ?? 0);
    const most = Math.floor((count * percent) / 100);
    const said = most === 0 ? `none of ${count}, since maxEjectionPercent is too low` : `at most ${most} of ${count}`;
    return { most, text: `in fleet ${fleet} ${said}` };
  });
  const texts = shares.map(({ text }) => text).join("; ");
  if (shares.every(({ most }) => most === 0)) return `proxies eject none: ${texts}`;
  const rule = `after ${outlierDetection.consecutive5xx} consecutive 5xx responses`;
  const where = "it shows as `failed_outlier_check` under /clusters of its admin interface";
  return `not known: each proxy may stop sending to a backend ${rule}, ${texts}; ${where}`;
}
