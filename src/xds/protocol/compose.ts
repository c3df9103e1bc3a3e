import type { Send } from "./events.ts";
import type { Flight, FlightItem } from "./flight.ts";
import { isSame, type Resource } from "./resource.ts";
import type { TypeReading } from "./type-state.ts";

export type Outgoing = { readonly send: Send; readonly flight: Flight };

/** What a response carries whatever its type. */
export type Stamp = {
  readonly nonce: string;
  readonly sequence: number;
  readonly now: number;
  readonly withTtl: boolean;
};

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
    send: { kind: "send", typeUrl: state.type.typeUrl, nonce, version, resources, removed, heartbeat: false, withTtl },
    flight: { nonce, sequence, version, sentAt: now, items },
  };
}
