import type { Name } from "../../domain/name.ts";
import type { RoutedBackend, RoutingState } from "../../domain/routing-state.ts";
import { firstFew } from "../first-few.ts";
import type { Finding } from "./finding.ts";
import { DOWN, duplicateKey } from "./onset-watch.ts";
import type { Onset } from "./onsets.ts";

/** How many backends of one service a problem quotes. */
const QUOTED = 3;

/**
 * What is wrong with a service: no backend may serve it, or not all that should.
 *
 * @param begun When what is derived of it began, as far as this replica saw it begin.
 */
export function serviceProblems(
  { service, policy, backends }: RoutingState,
  begun: (what: string) => Onset | undefined,
  now: number,
): Finding[] {
  if (backends.length === 0) {
    const why = "no backend is registered";
    return [{ what: `service ${service} is DOWN`, ...(begun(DOWN) ?? { since: now }), why, severity: "down" }];
  }
  const out = backends.filter(({ eligibility }) => !eligibility.eligible);
  if (out.length === backends.length) return [nobodyServes(service, policy.panicThreshold, out, begun)];
  // A backend that drains is on its way out because somebody wants that.
  const missing = out.filter(({ backend }) => backend.state !== "DRAINING");
  if (missing.length === 0) return [];
  const are = missing.every(({ eligibility }) => eligibility.reason === "unhealthy") ? "unhealthy" : "not eligible";
  const what = `service ${service}: ${missing.length} of ${backends.length} backends ${are}`;
  return [{ what, since: reduced(missing, begun, Math.min), why: quote(missing) }];
}

/** A panic threshold above 0 lets proxies use the unhealthy ones: a service that may work is not down. */
function nobodyServes(
  service: Name,
  panicThreshold: number,
  out: readonly RoutedBackend[],
  begun: (what: string) => Onset | undefined,
): Finding {
  const seen = begun(DOWN);
  // A replica that saw it begin knows of removed backends as well; else it began when the last of the present ones went out.
  const since = seen !== undefined && !seen.atLeast ? seen.since : reduced(out, begun, Math.max);
  const why = `none of ${out.length} backends may be used: ${quote(out)}`;
  if (panicThreshold > 0 && out.some(({ status }) => status === "UNHEALTHY")) {
    const panic = `${why}; because of its panic threshold of ${panicThreshold} %, the unhealthy ones get requests too`;
    return { what: `service ${service} has no eligible backend`, since, why: panic };
  }
  return { what: `service ${service} is DOWN`, since, why, severity: "down" };
}

/** When a backend ceased to be eligible, as far as what is stored tells. */
function outSince(
  { backend, health, eligibility }: RoutedBackend,
  begun: (what: string) => Onset | undefined,
): number | undefined {
  switch (eligibility.reason) {
    case "unhealthy":
      return health.verdict?.statusSince;
    case "draining":
      return backend.drainedAt;
    case "pending":
      return backend.meta.createdAt;
    case "duplicate-address": {
      const seen = begun(duplicateKey(backend.name));
      return seen === undefined || seen.atLeast ? backend.meta.updatedAt : seen.since;
    }
    case "active":
    case "degraded":
      return undefined;
  }
}

function reduced(
  backends: readonly RoutedBackend[],
  begun: (what: string) => Onset | undefined,
  choose: (...times: number[]) => number,
): number | undefined {
  const times = backends.flatMap((routed) => outSince(routed, begun) ?? []);
  return times.length === 0 ? undefined : times.reduce((a, b) => choose(a, b));
}

function quote(backends: readonly RoutedBackend[]): string {
  return firstFew(backends, QUOTED, ({ backend, eligibility }) => `${backend.name}: ${eligibility.message}`);
}
