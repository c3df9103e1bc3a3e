import type { Send } from "./events.ts";
import type { Flight, FlightItem } from "./flight.ts";
import { isSame, type Resource } from "./resource.ts";
import type { TypePlan } from "./type-plan.ts";
import type { TypeReading } from "./type-state.ts";

export type Outgoing = { readonly send: Send; readonly flight: Flight };

/** What a response carries whatever its type. */
export type Stamp = {
  readonly nonce: string;
  readonly sequence: number;
  readonly now: number;
  readonly withTtl: boolean;
};

/** A response with exactly what leaves under a plan; its version is empty in delta. */
export function composeLeaving(
  state: TypeReading,
  { upserts, removals, displaced }: Pick<TypePlan, "upserts" | "removals" | "displaced">,
  version: string,
  stamp: Stamp,
): Outgoing {
  const items = new Map<string, FlightItem>();
  for (const resource of upserts) items.set(resource.name, itemOf(state, resource.name, resource));
  for (const name of removals) items.set(name, itemOf(state, name, undefined));
  for (const name of displaced) items.set(name, displacedItem(state, name));
  return outgoing(state, stamp, version, upserts, [...removals, ...displaced], items);
}

/** What a response says of a resource, or of its removal. */
export function itemOf(state: TypeReading, name: string, resource: Resource | undefined): FlightItem {
  const before = state.sent.get(name);
  const repeats =
    resource !== undefined && isSame(before, resource) && !state.unknown.has(name) && !state.gone.has(name);
  return { name, resource, before, publication: repeats ? undefined : state.due.get(name), kept: false };
}

/** The removal itself settles nothing: what is due under the name still has to come. */
export function displacedItem(state: TypeReading, name: string): FlightItem {
  return { name, resource: undefined, before: state.sent.get(name), publication: undefined, kept: true };
}

export function outgoing(
  state: TypeReading,
  stamp: Stamp,
  version: string,
  resources: readonly Resource[],
  removed: readonly string[],
  items: ReadonlyMap<string, FlightItem>,
): Outgoing {
  const { nonce, sequence, now, withTtl } = stamp;
  return {
    send: { typeUrl: state.type.typeUrl, nonce, version, resources, removed, heartbeat: false, withTtl },
    flight: { nonce, sequence, version, sentAt: now, items },
  };
}
