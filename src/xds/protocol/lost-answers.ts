import type { FlightItem } from "./flight.ts";
import { oldestPending } from "./pending.ts";
import { isSame } from "./resource.ts";
import type { TypeReading, TypeReadings } from "./type-state.ts";

/**
 * A response whose stream ended before its ACK or NACK came, as far as it changed anything. Envoy withholds a refusal
 * while a cluster warms, and does not repeat it on its next stream, where it presents its state as if it had never
 * seen the response; what it applied of the response is there all the same (xds R16).
 */
export type LostAnswer = {
  readonly typeUrl: string;
  /** SotW's `version_info`; empty in delta. */
  readonly version: string;
  readonly items: readonly Pick<FlightItem, "name" | "resource">[];
};

export function lostAnswers(states: TypeReadings): LostAnswer[] {
  const lost: LostAnswer[] = [];
  for (const [typeUrl, { flights, unknown }] of states) {
    for (const { version, items } of flights) {
      const changes = items.values().filter((item) => isChange(item, unknown.has(item.name)));
      const changed = [...changes.map(({ name, resource }) => ({ name, resource }))];
      if (changed.length > 0) lost.push({ typeUrl, version, items: changed });
    }
  }
  return lost;
}

/** For a stream that ends: the oldest publication that its client has not acknowledged, including what it refuses. */
export function oldestOwed(states: TypeReadings): number | undefined {
  let oldest = Infinity;
  for (const state of states.values()) {
    if (!state.requested) continue;
    oldest = Math.min(oldest, oldestPending(state));
    for (const [name, { items }] of state.refused) oldest = Math.min(oldest, items.get(name)?.publication ?? 0);
  }
  return oldest === Infinity ? undefined : oldest;
}

/** True when what the client presents shows that it accepted the response: then only the acknowledgement was lost. */
export function isAccepted(state: TypeReading, { version, items }: LostAnswer): boolean {
  if (version !== "") return state.acceptedVersion === version;
  return items.some(({ name, resource }) => resource !== undefined && isSame(state.sent.get(name), resource));
}

/** Whether the client may run something other than before. A removal of what it never had changes nothing. */
function isChange({ resource, before }: FlightItem, mayHaveBefore: boolean): boolean {
  return resource === undefined ? before !== undefined || mayHaveBefore : !isSame(before, resource);
}
