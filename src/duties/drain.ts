import type { Backend } from "../domain/backend.ts";
import { serviceOf } from "../domain/name.ts";
import type { State } from "../domain/state.ts";

export interface DrainPlan {
  /** Backends whose drain time has passed, to be removed. */
  readonly due: readonly Backend[];
  /** When the next drain ends, by the store's clock; nothing while none is under way. */
  readonly nextAt: number | undefined;
}

/** What the drain duty has to do. A backend without a service drains for no time: nobody can reach it. */
export function planDrain(state: State, now: number): DrainPlan {
  const due: Backend[] = [];
  let nextAt: number | undefined;
  for (const backend of state.all("backend")) {
    const endsAt = drainEndsAt(state, backend);
    if (endsAt === undefined) continue;
    if (endsAt <= now) due.push(backend);
    else nextAt = Math.min(endsAt, nextAt ?? endsAt);
  }
  return { due, nextAt };
}

/** When a draining backend is to be removed; nothing for one that does not drain. */
export function drainEndsAt(state: State, backend: Backend): number | undefined {
  if (backend.state !== "DRAINING") return undefined;
  const drainTimeMs = state.get("service", serviceOf(backend.name))?.drainTimeMs ?? 0;
  return (backend.drainedAt ?? backend.meta.updatedAt) + drainTimeMs;
}
