import type { Flight } from "./flight.ts";
import type { FlushContext } from "./flush-context.ts";
import type { TypeReading } from "./type-state.ts";

const MAX_IN_FLIGHT = 2;

/** What may leave, and when time alone allows more. */
type Room = { readonly lets: "all" | "behind" | "none"; readonly wakeAt: number };

const ALL: Room = { lets: "all", wakeAt: Infinity };
const NONE: Room = { lets: "none", wakeAt: Infinity };
const BEHIND: Room = { lets: "behind", wakeAt: Infinity };

/**
 * What of a type may leave beside what is in flight: usually one response per type at a time. A second one may leave in
 * two cases: for what must follow a parent that leaves in this flush, and for a type whose ACK the client may withhold
 * (CDS while a cluster warms), if the new response touches what the first one brought, a moment has passed, or the
 * client asks for something.
 */
export function roomOf(context: FlushContext, state: TypeReading): Room {
  const first = state.flights[0];
  if (!first) return ALL;
  if (state.flights.length >= MAX_IN_FLIGHT) return NONE;
  const room = state.behind.size > 0 ? BEHIND : NONE;
  if (!state.type.overtakes) return room;
  const wakeAt = first.sentAt + context.settings.overtakeMs;
  return context.now >= wakeAt || isUrgent(context, state, first) ? ALL : { ...room, wakeAt };
}

function isUrgent({ settings: { variant } }: FlushContext, state: TypeReading, first: Flight): boolean {
  return state.due.keys().some((name) => {
    return first.items.get(name)?.publication !== undefined || (variant === "delta" && state.forced.has(name));
  });
}
