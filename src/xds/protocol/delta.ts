import type { DeltaRequest, Report } from "./events.ts";
import type { Flight } from "./flight.ts";
import { canonicalName } from "./resource-name.ts";
import type { StreamTypes } from "./stream-types.ts";
import type { TypeReading } from "./type-state.ts";

/**
 * Takes a request of the incremental protocol. Each request holds differences; the first of a type may also list what the
 * client has from an earlier stream. Each nonce gets its own ACK or NACK (xds D1).
 */
export function receiveDelta(types: StreamTypes, request: DeltaRequest, now: number): Report[] {
  const reports: Report[] = [];
  const state = types.of(request.typeUrl);
  if (!state) return reports;
  const { subscription, sent } = state;
  const first = !state.requested;
  if (!first) {
    const flight = flightOf(state, request.nonce);
    if (flight && request.error) types.refuse(state, flight, request.error, now, reports);
    else if (flight) types.accept(state, flight, reports);
    types.proveLive(reports);
  }
  const change = subscription.change(request.subscribe, request.unsubscribe);
  if (!first) {
    types.change(state, change, reports);
    return reports;
  }
  for (const [spelled, version] of request.initialVersions) {
    const name = canonicalName(spelled);
    const resource = types.served?.get(request.typeUrl, name);
    if (subscription.covers(name, resource?.aliases)) sent.set(name, { version, hash: undefined });
  }
  state.resumed = request.initialVersions.size > 0;
  types.start(state, now, reports, subscription.wildcard && !state.resumed);
  state.orphansAreEmpty = state.precedesParent;
  for (const name of change.added) {
    const own = types.served?.get(request.typeUrl, name)?.name ?? name;
    if (state.precedesParent || !sent.has(own)) types.require(state, name);
  }
  return reports;
}

function flightOf({ flights }: TypeReading, nonce: string): Flight | undefined {
  for (const flight of flights) if (flight.nonce === nonce) return flight;
  return undefined;
}
