import type { Known, ResourceKey } from "../protocol/resource.ts";
import type { ResourceHolding, StandingRefusal } from "../protocol/resource-holding.ts";
import type { TypeReading } from "../protocol/type-state.ts";
import type { NodeIdentity } from "./node-identity.ts";
import type { Peer } from "./peer.ts";
import type { Variant } from "./services.ts";

/** What identifies a stream to hooks and listeners. */
export type ClientRef = {
  /** Unique in this process. */
  readonly streamId: string;
  readonly node: NodeIdentity;
  readonly peer: Peer;
  readonly variant: Variant;
  readonly group: string | undefined;
  /** The method, if a client has only one stream of it: aggregated streams, and those of the wildcard types. */
  readonly sole: string | undefined;
};

/** A client for which something is due. */
export type ServedClient = ClientRef & {
  /** Whether it may hold something under this name, sent by this stream or, as far as is known, from before it. */
  mayHold(resource: ResourceKey): boolean;
};

export type RefusalStatus = StandingRefusal & { readonly code: number; readonly nonce: string };

export type ResourceStatus = ResourceHolding & {
  readonly refused: RefusalStatus | undefined;
  readonly inFlight: boolean;
  /** Goes out after this other resource. */
  readonly waitsFor: ResourceKey | undefined;
};

/** A resource that waits for the end of another one's refusal, and counts as nothing due until then. */
export type BlockedStatus = {
  readonly name: string;
  readonly on: ResourceKey;
  /** The publication that it waits for. */
  readonly publication: number;
};

export type TypeStatus = {
  readonly typeUrl: string;
  readonly shortName: string;
  readonly wildcard: boolean;
  readonly subscribed: number;
  readonly acks: number;
  readonly nacks: number;
  /** Responses that await a verdict, and since when (ms since the epoch). */
  readonly inFlight: readonly { readonly nonce: string; readonly sentAt: number; readonly resources: number }[];
  /** Whether anything will be sent as soon as it may be; does not count what waits for the end of a refusal. */
  readonly isDue: boolean;
  /** How many `resources` there are. */
  readonly known: number;
  /** Those of them that the client refused, and those that are held back; costs only as much as there are of these. */
  readonly refused: readonly ResourceStatus[];
  readonly held: readonly ResourceStatus[];
  readonly blocked: readonly BlockedStatus[];
  /** Everything that was or will be sent; described anew each time it is read. */
  readonly resources: readonly ResourceStatus[];
  /** One of `resources`. */
  resource(name: string): ResourceStatus | undefined;
};

/** One stream at this moment; it reads live state, so take what you need at once. */
export type ClientStatus = ClientRef & {
  /** Why nothing is sent, or undefined when the stream is served. */
  readonly silent: string | undefined;
  /** Since when nothing is sent, whatever the reasons were, in milliseconds since the epoch. */
  readonly silentSince: number | undefined;
  readonly method: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  /** Another open stream of the same kind names the same node. */
  readonly duplicate: boolean;
  /** Types that were asked for but are not known here; they get no answer. */
  readonly unknownTypes: readonly string[];
  /** The oldest publication with anything due, in flight or held; undefined when all is settled. */
  readonly oldestPending: number | undefined;
  readonly types: readonly TypeStatus[];
};

/** What a stream says about itself. */
type DescribedStream = ClientRef & {
  readonly method: { readonly service: string; readonly method: string };
  readonly openedAt: number;
  readonly openedMonotonic: number;
  oldestPending(): number | undefined;
};

/** Describes one stream and its types. */
export function describeStream(
  stream: DescribedStream,
  states: Iterable<TypeReading>,
  rest: Pick<ClientStatus, "silent" | "silentSince" | "duplicate" | "unknownTypes">,
): ClientStatus {
  const { streamId, node, peer, variant, group, sole, openedAt, method } = stream;
  const offset = openedAt - stream.openedMonotonic;
  const types = [...states].filter((state) => state.requested);
  return {
    streamId,
    node,
    peer,
    variant,
    group,
    sole,
    openedAt,
    method: `${method.service}/${method.method}`,
    oldestPending: stream.oldestPending(),
    types: types.map((state) => describeType(state, (at) => Math.round(at + offset))),
    ...rest,
  };
}

/** Describes one type of one stream. `wallClock` turns the protocol's instants into ms since the epoch. */
export function describeType(state: TypeReading, wallClock: (at: number) => number): TypeStatus {
  const describe = (name: string) => describeResource(state, name, wallClock);
  return {
    typeUrl: state.type.typeUrl,
    shortName: state.type.shortName,
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

function describeResource(state: TypeReading, name: string, wallClock: (at: number) => number): ResourceStatus {
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
): RefusalStatus | undefined {
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
