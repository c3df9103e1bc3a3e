import type { Backend } from "../domain/backend.ts";
import { serviceOf } from "../domain/name.ts";
import type { State } from "../domain/state.ts";
import { Beginnings } from "./beginnings.ts";
import { type Due, dueOf } from "./due.ts";

/** The backends to remove, since their drain time has passed. One without a service drains for no time: nobody can reach it. */
export function planDrain(state: State, now: number, beginnings = new Beginnings()): Due<Backend> {
  const endOf = ({ name, state: phase, drainedAt, meta }: Backend) => {
    if (phase !== "DRAINING") return undefined;
    const drainTimeMs = state.get("service", serviceOf(name))?.drainTimeMs ?? 0;
    return beginnings.of(name, drainedAt ?? meta.updatedAt, now) + drainTimeMs;
  };
  return dueOf(state.all("backend"), endOf, now);
}
