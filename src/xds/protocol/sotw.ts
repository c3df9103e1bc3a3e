import { composeLeaving, displacedItem, itemOf, type Outgoing, outgoing, type Stamp } from "./compose.ts";
import type { Report, SotwRequest } from "./events.ts";
import type { Flight, FlightItem } from "./flight.ts";
import { formatVersion, type Known, minusHash, plusHash, type Resource, type Served } from "./resource.ts";
import type { StreamTypes } from "./stream-types.ts";
import { entitledNames, targetOf } from "./target.ts";
import type { Leaving } from "./type-plan.ts";
import type { TypeReading, TypeState } from "./type-state.ts";

/** Takes a request of the state-of-the-world protocol, which lists everything that the client asks for of a type. */
export function receiveSotw(types: StreamTypes, request: SotwRequest, now: number): Report[] {
  const reports: Report[] = [];
  const state = types.of(request.typeUrl);
  if (!state) return reports;
  const { subscription } = state;
  if (state.requested) {
    takeAnswer(types, state, request, now, reports);
    types.proveLive(reports);
    if (request.names) types.change(state, subscription.replace(request.names), reports);
    return reports;
  }
  subscription.replace(request.names ?? []);
  state.mayHold = request.versionInfo !== "";
  state.acceptedVersion = request.versionInfo;
  if (subscription.names.size === 0 && state.mayHold) state.presentedVersion = request.versionInfo;
  types.start(state, now, reports, subscription.wildcard || state.type.fullSet);
  for (const name of subscription.names) types.require(state, name);
  return reports;
}

/**
 * Applies what a request says about responses in flight; does nothing when its nonce is not that of one.
 *
 * An ACK of the newest covers those before it, which Envoy merges while clusters warm. An error beside the version
 * that was just sent means "accepted, but an earlier one was not" (xds R27); this is decidable only when the version
 * differs from the one accepted before. Of a client that takes responses partly it means a refusal (xds R29).
 */
function takeAnswer(types: StreamTypes, state: TypeState, request: SotwRequest, now: number, reports: Report[]): void {
  const index = state.flights.findIndex((flight) => flight.nonce === request.nonce);
  const covered = state.flights.slice(0, index + 1);
  const mayBeLate = request.error !== undefined && !types.takesPartly;
  const accepted = mayBeLate ? acceptedBeside(state, covered, request.versionInfo) : [];
  for (const each of covered) {
    if (!request.error || accepted.includes(each)) types.accept(state, each, reports);
    else types.refuse(state, each, request.error, now, reports);
  }
}

/** Of the responses that an error covers, those that the client accepted all the same, going by the version it presents. */
function acceptedBeside({ acceptedVersion }: TypeReading, covered: readonly Flight[], version: string): Flight[] {
  const last = covered.at(-1);
  if (last && last.version === version && version !== acceptedVersion) return [last];
  return covered.slice(0, -1).filter((each) => each.version === version);
}

/** xds S9: a pure wildcard that presents the version it would be sent is up to date; silence is right. */
export function isCurrent(state: TypeReading, served: Served, presented: string): boolean {
  const { subscription, unknown } = state;
  const pure = subscription.wildcard && subscription.names.size === 0 && unknown.size === 0;
  return pure && presented === versionOf(state, served, { kept: new Set(), displaced: [] });
}

/** A response for a type whose responses need not be complete: only what is due. */
export function composePartial(state: TypeReading, served: Served, leaving: Leaving, stamp: Stamp): Outgoing {
  const { upserts } = leaving;
  return composeLeaving(state, { upserts, removals: [], displaced: [] }, versionOf(state, served, leaving), stamp);
}

/**
 * A response that carries the full set: what is kept back stays in it as the client has it, since absence would
 * delete it. Returns undefined when the client may have what is kept back, but this stream did not send it: any response
 * would delete it.
 */
export function composeFull(state: TypeReading, served: Served, leaving: Leaving, stamp: Stamp): Outgoing | undefined {
  const { upserts, removals, displaced, kept } = leaving;
  const resources: Resource[] = [];
  const items = new Map<string, FlightItem>();
  const changed = new Set([...upserts.map(({ name }) => name), ...removals]);
  const add = (resource: Resource, settles: boolean) => {
    if (items.has(resource.name)) return;
    resources.push(resource);
    const item = itemOf(state, resource.name, resource);
    items.set(resource.name, settles ? item : { ...item, publication: undefined, kept: kept.has(resource.name) });
  };
  for (const name of kept) {
    const known = state.sent.get(name);
    if (known === undefined && state.mayHold) return undefined;
    if (known?.hash !== undefined) add(known, false);
  }
  // Where addresses change hands, the order of what is due matters.
  for (const resource of upserts) if (resource.addresses.length > 0) add(resource, true);
  const left = new Set([...kept, ...displaced]);
  for (const name of entitledNames(state, served)) {
    const target = left.has(name) ? undefined : targetOf(state, served, name);
    if (target) add(target, changed.has(name));
  }
  for (const name of removals) items.set(name, itemOf(state, name, undefined));
  for (const name of displaced) items.set(name, displacedItem(state, name));
  return outgoing(state, stamp, versionOf(state, served, leaving), resources, [], items);
}

/**
 * SotW's version of a type: that of the group, corrected for what this client has not been given yet. So one string never
 * stands for two contents (xds R27), and clients of one group share it whenever nothing is kept back.
 */
function versionOf(state: TypeReading, served: Served, leaving: Pick<Leaving, "kept" | "displaced">): string {
  const { kept, displaced } = leaving;
  const { sum, given } = served.typeVersion(state.type.typeUrl);
  let own = sum;
  for (const name of kept) {
    const target = targetOf(state, served, name);
    const known: Known | undefined = state.sent.get(name);
    if (target) own = minusHash(own, target.hash);
    if (known?.hash !== undefined) own = plusHash(own, known.hash);
  }
  for (const name of displaced) {
    const target = targetOf(state, served, name);
    if (target) own = minusHash(own, target.hash);
  }
  if (given === undefined) return formatVersion(own);
  return own === sum ? given : `${given}+${formatVersion(own)}`;
}
