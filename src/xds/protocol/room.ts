import type { Flight } from "./flight.ts";
import type { FlushContext } from "./plan.ts";
import type { TypeState } from "./type-state.ts";

const MAX_IN_FLIGHT = 2;

/**
 * What of a type may leave beside what is in flight: one response per type at a time. Two exceptions, never more than
 * two in all: what must follow a parent that leaves in this flush, and a type whose ACK the client may withhold (CDS
 * while a cluster warms), when the new response touches what the first one brought or a moment has passed, or the
 * client asks for something.
 */
export function roomOf(context: FlushContext, state: TypeState): "all" | "behind" | "none" {
  const first = state.flights[0];
  if (!first) return "all";
  if (state.flights.length >= MAX_IN_FLIGHT) return "none";
  if (state.type.overtakes) {
    const overtakesAt = first.sentAt + context.overtakeMs;
    if (context.now >= overtakesAt || isUrgent(context, state, first)) return "all";
    context.wakeAt = Math.min(context.wakeAt, overtakesAt);
  }
  return state.behind.size > 0 ? "behind" : "none";
}

function isUrgent({ variant }: FlushContext, state: TypeState, first: Flight): boolean {
  return state.due.keys().some((name) => {
    return first.items.get(name)?.publication !== undefined || (variant === "delta" && state.forced.has(name));
  });
}
