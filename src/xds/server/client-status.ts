import type { Known, ResourceKey } from "../protocol/resource.ts";
import type { ResourceHolding, StandingRefusal } from "../protocol/resource-holding.ts";
import type { StreamHolding, StreamRef, TypeHolding } from "../protocol/stream-holding.ts";
import type { TypeReading } from "../protocol/type-state.ts";
import type { NodeIdentity } from "./node-identity.ts";
import type { Peer } from "./peer.ts";
import { resourceJson } from "./resource-json.ts";

/** What identifies a stream to hooks and listeners. */
export type ClientRef = StreamRef & { readonly node: NodeIdentity; readonly peer: Peer };

/** A client for which something is due. */
export type ServedClient = ClientRef & {
  /** Whether it may hold something under this name, sent by this stream or, as far as is known, from before it. */
  mayHold(resource: ResourceKey): boolean;
};

/** One stream at this moment; it reads live state, so take what you need at once. */
export type ClientStatus = ClientRef &
  StreamHolding & {
    readonly method: string;
    /** Milliseconds since the epoch. */
    readonly openedAt: number;
    /** Types that were asked for but are not known here; they get no answer. */
    readonly unknownTypes: readonly string[];
  };

/** Describes one type of one stream. `wallClock` turns the protocol's instants into ms since the epoch. */
export function describeType(state: TypeReading, wallClock: (at: number) => number): TypeHolding {
  const describe = (name: string) => describeResource(state, name, wallClock);
  const { typeUrl, shortName } = state.type;
  const body = (name: string) => {
    const known = state.sent.get(name);
    return known && "body" in known && known.body instanceof Uint8Array ? known.body : undefined;
  };
  return {
    typeUrl,
    shortName,
    wildcard: state.subscription.wildcard,
    subscribed: state.subscription.names.size,
    acks: state.acks,
    nacks: state.nacks,
    inFlight: state.flights.map(({ nonce, sentAt, items }) => ({
      nonce,
      sentAt: wallClock(sentAt),
      resources: items.size,
    })),
    isDue: state.due.keys().some((name) => state.waits.get(name)?.cause !== "refused"),
    get missing() {
      return [...state.subscription.names].filter((name) => !isKnown(state, name));
    },
    known: state.sent.size + unsentNames(state).size,
    get refused() {
      return [...state.refused.keys()].filter((name) => isKnown(state, name)).map(describe);
    },
    get held() {
      return [...state.held.keys()].map(describe);
    },
    get blocked() {
      return [...state.waits].flatMap(([name, { on, cause }]) =>
        cause === "refused" ? { name, on, publication: state.due.get(name) ?? 0 } : [],
      );
    },
    get resources() {
      return [...state.sent.keys(), ...unsentNames(state)].map(describe);
    },
    resource: (name) => (isKnown(state, name) ? describe(name) : undefined),
    body,
    content: (name) => {
      const sent = body(name);
      return sent && JSON.stringify(resourceJson(typeUrl, name, sent));
    },
  };
}

/** Names of what is due, held, in flight or in doubt, but does not count as sent. */
function unsentNames({ sent, due, held, unknown, flights }: TypeReading): ReadonlySet<string> {
  const names = new Set<string>();
  for (const some of [due.keys(), held.keys(), unknown, ...flights.map(({ items }) => items.keys())]) {
    for (const name of some) if (!sent.has(name)) names.add(name);
  }
  return names;
}

function isKnown({ sent, due, held, unknown, flights }: TypeReading, name: string): boolean {
  const isUnsettled = due.has(name) || held.has(name) || unknown.has(name);
  return sent.has(name) || isUnsettled || flights.some(({ items }) => items.has(name));
}

function describeResource(state: TypeReading, name: string, wallClock: (at: number) => number): ResourceHolding {
  const flight = state.flights.find(({ items }) => items.has(name));
  const sent = state.sent.get(name);
  const acked: Known | undefined = flight ? flight.items.get(name)?.before : sent;
  return {
    name,
    sent: sent?.version,
    acked: acked?.version,
    inFlight: flight !== undefined,
    unknown: state.unknown.has(name),
    refused: describeRefusal(state, name, wallClock),
    held: state.held.get(name)?.reason,
    waitsFor: state.waits.get(name)?.on,
  };
}

function describeRefusal(
  state: TypeReading,
  name: string,
  wallClock: (at: number) => number,
): StandingRefusal | undefined {
  const refusal = state.refused.get(name);
  if (!refusal) return undefined;
  const item = refusal.items.get(name);
  const { code, message, nonce } = refusal;
  return {
    version: item?.resource?.version ?? "",
    code,
    message,
    nonce,
    at: wallClock(refusal.since),
    publication: item?.publication,
  };
}
