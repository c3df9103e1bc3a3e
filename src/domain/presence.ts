import type { Fleet } from "./fleet.ts";
import { isGrpcLibrary } from "./grpc-clients.ts";
import type { Name } from "./name.ts";

/** What is remembered of one proxy of a fleet, across restarts of every plane. */
export interface Presence {
  /** Envoy's `node.id`. */
  readonly id: string;
  /** `gone`: it was connected, and is no longer connected to any replica, for longer than a moment. */
  readonly state: "here" | "gone";
  /** Since when, in milliseconds since the epoch by the store's clock. */
  readonly since: number;
  /** The replica that its stream was last open to. */
  readonly replica: string;
  readonly cluster: string;
  /** What it called itself: `envoy`, `gRPC Go`; empty if it did not say so. */
  readonly client: string;
  readonly envoyVersion: string;
  readonly variant: "delta" | "sotw";
  /** As it named its own locality; empty if it did not. */
  readonly region: string;
  readonly zone: string;
  /** Only of a proxy that is gone, if its last replica could still tell. */
  readonly last?: LastHeld | undefined;
}

/** What a proxy had when its last stream ended. */
export interface LastHeld {
  /** The revision up to which it had acknowledged everything that was due; empty if not known. */
  readonly settled: string;
  readonly types: readonly LastOfType[];
}

export interface LastOfType {
  readonly typeUrl: string;
  /** `CDS`, `EDS`, … */
  readonly shortName: string;
  readonly state: "idle" | "sent" | "acked" | "refused" | "missing";
  /** How many resources it was sent. */
  readonly known: number;
  /** How many of them it had refused, and why: only the first few. */
  readonly refused: number;
  readonly refusals: readonly { readonly name: string; readonly message: string }[];
}

/** A fleet's presence, or a part of it: a record has a bound. */
export interface PresencePart {
  readonly fleet: Name;
  readonly proxies: readonly Presence[];
}

const SAID = ["state", "replica", "cluster", "client", "envoyVersion", "region", "zone"] as const;

/** Whether two presences say the same but for the time, and for what was last held. */
export function isSamePlace(a: Presence, b: Presence): boolean {
  return SAID.every((field) => a[field] === b[field]);
}

/** The proxies of each fleet that has a record, in the order of its parts. */
export function presenceByFleet(parts: Iterable<PresencePart>): ReadonlyMap<Name, readonly Presence[]> {
  const found = new Map<Name, Presence[]>();
  for (const { fleet, proxies } of parts) found.set(fleet, [...(found.get(fleet) ?? []), ...proxies]);
  return found;
}

/**
 * Whether somebody should look at it: a proxy that is gone. A program with a gRPC library ends when its work is done; only
 * the number that its fleet expects says that it should be there.
 */
export function isMissed({ state, client }: Pick<Presence, "state" | "client">): boolean {
  return state === "gone" && !isGrpcLibrary(client);
}

/** How many proxies a fleet should have, undefined if nobody said; and how many are missed, by its record. */
export interface FleetPresence {
  readonly expected: number | undefined;
  readonly gone: number;
}

/** Of each of these fleets, by name: what gauges and lists show beside the proxies that are connected. */
export function countPresence(
  fleets: Iterable<Pick<Fleet, "name" | "expected">>,
  parts: Iterable<PresencePart>,
): ReadonlyMap<Name, FleetPresence> {
  const recorded = presenceByFleet(parts);
  return new Map(
    Array.from(fleets, ({ name, expected }) => {
      const gone = (recorded.get(name) ?? []).filter(isMissed).length;
      return [name, { expected, gone }];
    }),
  );
}
