import type { DeltaRequest, Report, SotwRequest } from "./events.ts";
import type { Flight, Refusal } from "./flight.ts";
import type { TypeState } from "./type-state.ts";

type ErrorDetail = NonNullable<SotwRequest["error"]>;

/**
 * Reads what a SotW request says about responses in flight. Returns false when its nonce is not that of a response
 * in flight: then it says nothing about any.
 *
 * An ACK of the newest covers those before it, which Envoy merges while clusters warm. An error beside the version
 * that was just sent means "accepted, but an earlier one was not" (xds R27); this is decidable only when the version
 * differs from the one accepted before.
 */
export function readSotwVerdict(state: TypeState, request: SotwRequest, now: number, reports: Report[]): boolean {
  const index = state.flights.findIndex((flight) => flight.nonce === request.nonce);
  const flight = state.flights[index];
  if (!flight) return false;
  const earlier = state.flights.slice(0, index);
  if (!request.error) {
    for (const each of [...earlier, flight]) accept(state, each, reports);
    return true;
  }
  const { error } = request;
  const merged = request.versionInfo === flight.version && flight.version !== state.acceptedVersion;
  const accepted = merged ? [flight] : earlier.filter((each) => each.version === request.versionInfo);
  for (const each of [...earlier, flight]) {
    if (accepted.includes(each)) accept(state, each, reports);
    else refuse(state, each, error, now, reports);
  }
  return true;
}

/** Reads what a delta request says about a response in flight: each nonce has its own verdict (xds D1). */
export function readDeltaVerdict(state: TypeState, request: DeltaRequest, now: number, reports: Report[]): void {
  const flight = flightOf(state, request.nonce);
  if (!flight) return;
  if (request.error) refuse(state, flight, request.error, now, reports);
  else accept(state, flight, reports);
}

/** Of what was refused, the names under which the client may run something else now: not removals of what it never had. */
export function doubtfulNames({ items }: Refusal): string[] {
  const names: string[] = [];
  for (const { name, resource, before } of items.values()) if (resource ?? before) names.push(name);
  return names;
}

function flightOf({ flights }: TypeState, nonce: string): Flight | undefined {
  for (const flight of flights) if (flight.nonce === nonce) return flight;
  return undefined;
}

function accept(state: TypeState, flight: Flight, reports: Report[]): void {
  const cleared = state.unknown.size > 0 ? [...flight.items.keys()].filter((name) => state.unknown.has(name)) : [];
  state.accept(flight);
  const { typeUrl } = state.type;
  reports.push({ kind: "ack", typeUrl, flight });
  if (cleared.length > 0) reports.push({ kind: "cleared", typeUrl, names: cleared });
}

function refuse(state: TypeState, flight: Flight, error: ErrorDetail, now: number, reports: Report[]): void {
  const refusal = state.refuse(flight, { ...error, at: now });
  // Parts of it may have been replaced while the verdict was withheld: then the rest is due again at once.
  for (const { name, publication } of refusal.items.values()) state.mark(name, publication ?? Infinity);
  reports.push({ kind: "nack", typeUrl: state.type.typeUrl, refusal });
}
