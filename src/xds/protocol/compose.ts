import type { Send } from "./events.ts";
import type { Flight, FlightItem } from "./flight.ts";
import { isSame, type Known, minusHash, plusHash, type Resource, type View } from "./resource.ts";
import { entitledNames, targetOf } from "./target.ts";
import type { TypeState } from "./type-state.ts";

/** What may go out now for one type, and what may not although it is due. */
export type Plan = {
  readonly upserts: readonly Resource[];
  readonly removals: readonly string[];
  /** Removed although they are to be there, so that another one gets their address; they come with the next response. */
  readonly displaced: readonly string[];
  /** Due, but held, or waiting for another resource. */
  readonly kept: ReadonlySet<string>;
};

export type Outgoing = { readonly send: Send; readonly flight: Flight };

/** What a response carries whatever its type. */
export type Stamp = {
  readonly nonce: string;
  readonly sequence: number;
  readonly now: number;
  readonly withTtl: boolean;
};

/** A delta response of exactly what the plan holds. */
export function composeDelta(state: TypeState, plan: Plan, stamp: Stamp): Outgoing {
  const items = new Map<string, FlightItem>();
  for (const resource of plan.upserts) items.set(resource.name, itemOf(state, resource.name, resource));
  for (const name of plan.removals) items.set(name, itemOf(state, name, undefined));
  for (const name of plan.displaced) items.set(name, displacedItem(state, name));
  return outgoing(state, stamp, "", plan.upserts, [...plan.removals, ...plan.displaced], items);
}

/** A SotW response of a type whose responses need not be complete: what is due, nothing else. */
export function composePartial(state: TypeState, view: View, plan: Plan, stamp: Stamp): Outgoing {
  const items = new Map<string, FlightItem>();
  for (const resource of plan.upserts) items.set(resource.name, itemOf(state, resource.name, resource));
  const version = versionOf(state, view, plan);
  return outgoing(state, stamp, version, plan.upserts, [], items);
}

/**
 * A SotW response that carries the full set: what is kept back stays in it as the client has it, since absence would
 * delete it. Undefined when what is kept back may be at the client, but was not sent on this stream: then nothing can
 * be said without deleting it.
 */
export function composeFull(state: TypeState, view: View, plan: Plan, stamp: Stamp): Outgoing | undefined {
  const resources: Resource[] = [];
  const items = new Map<string, FlightItem>();
  const changed = new Set([...plan.upserts.map(({ name }) => name), ...plan.removals]);
  const add = (resource: Resource, settles: boolean) => {
    if (items.has(resource.name)) return;
    resources.push(resource);
    const item = itemOf(state, resource.name, resource);
    items.set(resource.name, settles ? item : { ...item, publication: undefined, kept: plan.kept.has(resource.name) });
  };
  for (const name of plan.kept) {
    const known = state.sent.get(name);
    if (known === undefined && state.mayHold) return undefined;
    if (known?.hash !== undefined) add(known, false);
  }
  // Where addresses change hands, what is due has an order.
  for (const resource of plan.upserts) if (resource.addresses.length > 0) add(resource, true);
  const left = new Set([...plan.kept, ...plan.displaced]);
  for (const name of entitledNames(state, view)) {
    const target = left.has(name) ? undefined : targetOf(state, view, name);
    if (target) add(target, changed.has(name));
  }
  for (const name of plan.removals) items.set(name, itemOf(state, name, undefined));
  for (const name of plan.displaced) items.set(name, displacedItem(state, name));
  return outgoing(state, stamp, versionOf(state, view, plan), resources, [], items);
}

/**
 * SotW's version of a type: that of the group, corrected by what this client is not given yet. So one string never
 * stands for two contents (xds R27), and clients of one group share it whenever nothing is kept back.
 */
export function versionOf(state: TypeState, view: View, { kept, displaced }: Pick<Plan, "kept" | "displaced">): string {
  const { sum, given } = view.typeVersion(state.type.typeUrl);
  let own = sum;
  for (const name of kept) {
    const target = targetOf(state, view, name);
    const known: Known | undefined = state.sent.get(name);
    if (target) own = minusHash(own, target.hash);
    if (known?.hash !== undefined) own = plusHash(own, known.hash);
  }
  for (const name of displaced) {
    const target = targetOf(state, view, name);
    if (target) own = minusHash(own, target.hash);
  }
  if (given === undefined) return formatSum(own);
  return own === sum ? given : `${given}+${formatSum(own)}`;
}

function formatSum(sum: bigint): string {
  return `s${sum.toString(16).padStart(32, "0")}`;
}

function itemOf(state: TypeState, name: string, resource: Resource | undefined): FlightItem {
  const before = state.sent.get(name);
  const repeats =
    resource !== undefined && isSame(before, resource) && !state.unknown.has(name) && !state.gone.has(name);
  return { name, resource, before, publication: repeats ? undefined : state.due.get(name), kept: false };
}

/** The removal itself settles nothing: what is due under the name is still to come. */
function displacedItem(state: TypeState, name: string): FlightItem {
  return { name, resource: undefined, before: state.sent.get(name), publication: undefined, kept: true };
}

function outgoing(
  state: TypeState,
  stamp: Stamp,
  version: string,
  resources: readonly Resource[],
  removed: readonly string[],
  items: ReadonlyMap<string, FlightItem>,
): Outgoing {
  const { nonce, sequence, now, withTtl } = stamp;
  return {
    send: { kind: "send", typeUrl: state.type.typeUrl, nonce, version, resources, removed, heartbeat: false, withTtl },
    flight: { nonce, sequence, version, sentAt: now, items },
  };
}
