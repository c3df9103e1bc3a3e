import type { Name } from "../domain/name.ts";
import { isSamePlace, type Presence, type PresencePart } from "../domain/presence.ts";
import { lastHeld } from "../fleet/last-held.ts";
import type { ToldNode } from "../fleet/node-directory.ts";

/** A proxy that stays away, or stays, for less time than this flaps: nothing is written. */
export const GRACE_MS = 5_000;
/**
 * A proxy whose replica is gone too needs longer: it has to find another one, and Envoy tries again after at most half a
 * minute.
 */
export const RETURN_MS = 60_000;
/** How long one is remembered that is away and in no record, while the store cannot be written to. */
const UNRECORDED_MS = 3_600_000;

/** What the duty has seen of one proxy since it began to look. Times are by the store's clock. */
export interface Sighting {
  /** Undefined while no fleet selects it. */
  readonly fleet: Name | undefined;
  /** As it would be recorded while it is here. */
  readonly presence: Presence;
  /** When it came to where it is. */
  readonly from: number;
  /** Since when it has been away; undefined while it is connected, or may be. */
  readonly until: number | undefined;
  /** Whether its own replica, which is still there, said that its stream ended. */
  readonly isTold: boolean;
  /** What it had then, where that is known. */
  readonly last: Presence["last"];
  /** It has been in the record: if it no longer is, somebody took it out. */
  readonly isRecorded: boolean;
}

export type Sightings = ReadonlyMap<string, Sighting>;

/** What all replicas together say. */
export interface Attendance {
  readonly told: readonly ToldNode[];
  /** Replicas that are silent, or did not answer. */
  readonly unknown: readonly { readonly replica: string }[];
  /** Replicas that answer, this one included. */
  readonly live: readonly string[];
}

/**
 * Carries what was seen on to what is seen now. A proxy of a replica that is not heard is neither here nor away: it stays
 * as it was. What is recorded as here and was not seen since this duty began has to show itself within `RETURN_MS`.
 */
export function look(
  before: Sightings,
  recorded: Iterable<PresencePart>,
  { told, unknown, live }: Attendance,
  now: number,
): Sightings {
  const next = new Map<string, Sighting>();
  const connected = newestEach(told.filter((node) => node.connected));
  const ended = newestEach(told.filter((node) => !node.connected));
  const known = new Map(before);
  const inRecord = new Set<string>();
  for (const { fleet, proxies } of recorded) {
    for (const presence of proxies) {
      inRecord.add(presence.id);
      if (!known.has(presence.id)) known.set(presence.id, remembered(fleet, presence, now));
    }
  }
  for (const [id, node] of connected) next.set(id, here(node, known.get(id), inRecord.has(id), now));
  const silent = new Set(unknown.map(({ replica }) => replica));
  const answering = new Set(live);
  for (const [id, sighting] of known) {
    if (connected.has(id)) continue;
    const isRecorded = inRecord.has(id);
    // Somebody took it out of the record.
    if (sighting.isRecorded && !isRecorded) continue;
    if (silent.has(sighting.presence.replica) && sighting.until === undefined) {
      next.set(id, { ...sighting, isRecorded });
      continue;
    }
    const gone = away({ ...sighting, isRecorded }, ended.get(id), answering, now);
    if (isRecorded || mayBeRecorded(gone, now)) next.set(id, gone);
  }
  return next;
}

/** One that did not stay, or belonged to no fleet, was never there. */
function mayBeRecorded({ fleet, from, until = from }: Sighting, now: number): boolean {
  return fleet !== undefined && until - from >= GRACE_MS && now - until < UNRECORDED_MS;
}

/** An id that several streams have at once counts as the one that came last. */
function newestEach(nodes: readonly ToldNode[]): ReadonlyMap<string, ToldNode> {
  const found = new Map<string, ToldNode>();
  for (const node of nodes) {
    const other = found.get(node.id);
    if (other === undefined || other.since < node.since) found.set(node.id, node);
  }
  return found;
}

function remembered(fleet: Name, presence: Presence, now: number): Sighting {
  const isGone = presence.state === "gone";
  return {
    fleet,
    presence: { ...presence, state: "here", last: undefined },
    from: presence.since,
    // A record from another clock may lie in the future.
    until: isGone ? Math.min(presence.since, now) : undefined,
    isTold: isGone,
    last: presence.last,
    isRecorded: true,
  };
}

function here(node: ToldNode, before: Sighting | undefined, isRecorded: boolean, now: number): Sighting {
  const { id, fleet, replica, cluster, client, envoyVersion, variant, region = "", zone = "" } = node;
  const said = { replica, cluster, client, envoyVersion, variant, region, zone };
  const presence = { id, state: "here", since: now, ...said } as const;
  const isSame = before !== undefined && before.fleet === fleet && isSamePlace(before.presence, presence);
  const from = isSame ? cameAt(before, now) : now;
  return {
    fleet,
    presence: { ...presence, since: from },
    from,
    until: undefined,
    isTold: false,
    last: undefined,
    isRecorded,
  };
}

/** A stay of less than the grace begins anew each time, and so does one after a longer absence. */
function cameAt({ from, until }: Sighting, now: number): number {
  if (until === undefined) return Math.min(from, now);
  const stayed = until - from >= GRACE_MS;
  return stayed && now - until < GRACE_MS ? Math.min(from, now) : now;
}

function away(sighting: Sighting, ended: ToldNode | undefined, live: ReadonlySet<string>, now: number): Sighting {
  const until = sighting.until === undefined ? now : Math.min(sighting.until, now);
  const own = ended?.replica === sighting.presence.replica ? ended : undefined;
  // Counts only while it is said: a replica that leaves hands its proxies over, and they have longer to come back.
  const isTold = own !== undefined && own.handedOver !== true && live.has(own.replica);
  return { ...sighting, until, isTold, last: (own && lastHeld(own)) ?? sighting.last };
}
