import type { Backend } from "../domain/backend.ts";
import { serviceOf } from "../domain/name.ts";
import type { State } from "../domain/state.ts";
import { Beginnings } from "./beginnings.ts";

export interface DrainPlan {
  /** Backends whose drain time has passed, to be removed. */
  readonly due: readonly Backend[];
  /** When the next drain ends, by the store's clock; undefined while none is under way. */
  readonly nextAt: number | undefined;
}

/** What the drain duty has to do. A backend without a service drains for no time: nobody can reach it. */
export function planDrain(state: State, now: number, beginnings = new Beginnings()): DrainPlan {
  const due: Backend[] = [];
  let nextAt: number | undefined;
  for (const backend of state.all("backend")) {
    if (backend.state !== "DRAINING") continue;
    const drainTimeMs = state.get("service", serviceOf(backend.name))?.drainTimeMs ?? 0;
    const endsAt = beginnings.of(backend.name, backend.drainedAt ?? backend.meta.updatedAt, now) + drainTimeMs;
    if (endsAt <= now) due.push(backend);
    else nextAt = Math.min(endsAt, nextAt ?? endsAt);
  }
  return { due, nextAt };
}
