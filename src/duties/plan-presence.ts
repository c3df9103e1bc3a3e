import { type Name, storeKey } from "../domain/name.ts";
import { isSamePlace, type Presence, type PresencePart } from "../domain/presence.ts";
import { isRecordable } from "../store/keys/presence-record.ts";
import { GRACE_MS, RETURN_MS, type Sighting, type Sightings } from "./sightings.ts";

/** How many proxies one part of a fleet's record holds at most: each is at most `MAX_PRESENCE_BYTES` long. */
export const PROXIES_PER_PART = 64;
/** How many proxies of one fleet are recorded at most. For one more, the one that has been gone the longest is forgotten. */
export const MAX_RECORDED = 10_000;
/** Newcomers are written together, since nobody waits for their record. */
const TOGETHER_MS = 5_000;

/** By the name of each record. */
export type PresenceParts = ReadonlyMap<string, PresencePart>;

export interface PresencePlan {
  /** What is written under each name; undefined for a record that is deleted. */
  readonly writes: ReadonlyMap<string, PresencePart | undefined>;
  /** When there is something to write even if nothing changes. */
  readonly dueAt: number | undefined;
}

/** What is known of a fleet: `deleted`, or `unread` while its stored form cannot be read. */
export type FleetFacts = (fleet: Name) => { readonly forgetAfterMs: number } | "deleted" | "unread";

export interface PresenceFacts {
  readonly factsOf: FleetFacts;
  /** Whether a part of the record is stored in a form that cannot be read: it is left for people to mend. */
  readonly isUnread: (part: string) => boolean;
}

/** What should be recorded of one proxy. */
interface Wish {
  readonly fleet: Name | undefined;
  /** Undefined: nothing. */
  readonly presence: Presence | undefined;
  /** From then on; before that, what is recorded stays. */
  readonly at: number;
  /** May wait for others. */
  readonly isNewcomer: boolean;
}

/** What a fleet's record has to become, so that it says which proxies are there and which are gone. */
export function planPresence(
  recorded: PresenceParts,
  sightings: Sightings,
  { factsOf, isUnread }: PresenceFacts,
  now: number,
): PresencePlan {
  const places = placesOf(recorded);
  const wishes = new Map<string, Wish>();
  for (const [id, { fleet, presence }] of places) {
    const wish = wishOf({ fleet, presence }, sightings.get(id), factsOf, now);
    if (wish !== undefined) wishes.set(id, wish);
  }
  for (const [id, sighting] of sightings) {
    const wish = places.has(id) ? undefined : firstWish(sighting, factsOf);
    if (wish !== undefined) wishes.set(id, wish);
  }
  const all = [...wishes.values()];
  const urgentAt = earliest(all.filter(({ isNewcomer }) => !isNewcomer));
  const togetherAt = earliest(all.filter(({ isNewcomer }) => isNewcomer));
  const writeAt = Math.min(urgentAt, togetherAt + TOGETHER_MS);
  if (writeAt > now) {
    return { writes: duplicates(recorded, places), dueAt: Number.isFinite(writeAt) ? writeAt : undefined };
  }
  const due = [...wishes].filter(([, { at }]) => at <= now);
  const later = earliest(all.filter(({ at }) => at > now));
  const writes = written(recorded, places, due, isUnread);
  return { writes, dueAt: Number.isFinite(later) ? later : undefined };
}

interface Place {
  readonly name: string;
  readonly fleet: Name;
  readonly presence: Presence;
}

/** Where each proxy is recorded. */
function placesOf(recorded: PresenceParts): ReadonlyMap<string, Place> {
  const found = new Map<string, Place>();
  for (const [name, { fleet, proxies }] of recorded) {
    for (const presence of proxies) if (!found.has(presence.id)) found.set(presence.id, { name, fleet, presence });
  }
  return found;
}

function earliest(wishes: readonly Wish[]): number {
  return wishes.reduce((first, { at }) => Math.min(first, at), Number.POSITIVE_INFINITY);
}

/** What is to become of a proxy that is recorded; undefined if nothing ever will, as far as can be seen. */
function wishOf(
  { fleet, presence }: Pick<Place, "fleet" | "presence">,
  sighting: Sighting | undefined,
  factsOf: FleetFacts,
  now: number,
): Wish | undefined {
  const facts = factsOf(fleet);
  if (facts === "unread") return undefined;
  if (facts === "deleted" && sighting?.until !== undefined) return nothing(now);
  // It was seen, and then taken out of the record while the record was read.
  if (sighting === undefined) return undefined;
  if (sighting.until === undefined) {
    const isAtHome = sighting.fleet === fleet && presence.state === "here" && isSamePlace(presence, sighting.presence);
    if (isAtHome) return presence.since > now ? changed(fleet, { ...presence, since: now }, now) : undefined;
    const since = presence.state === "here" ? Math.min(presence.since, sighting.from) : sighting.from;
    const stays = sighting.fleet !== undefined && isRecordable(sighting.presence);
    const moved = stays ? { ...sighting.presence, since } : undefined;
    return { fleet: sighting.fleet, presence: moved, at: sighting.from + GRACE_MS, isNewcomer: true };
  }
  if (presence.state === "here") return changed(fleet, goneFrom(presence, sighting), goneAt(sighting));
  if (presence.since > now) return changed(fleet, { ...presence, since: now }, now);
  return facts === "deleted" ? nothing(now) : nothing(presence.since + facts.forgetAfterMs);
}

/** What is to become of a proxy that is not recorded. One that did not stay was never there. */
function firstWish(sighting: Sighting, factsOf: FleetFacts): Wish | undefined {
  const { fleet, presence, from, until } = sighting;
  if (fleet === undefined || typeof factsOf(fleet) === "string" || !isRecordable(presence)) return undefined;
  if (until === undefined) return { fleet, presence, at: from + GRACE_MS, isNewcomer: true };
  if (until - from < GRACE_MS) return undefined;
  return changed(fleet, goneFrom(presence, sighting), goneAt(sighting));
}

function nothing(at: number): Wish {
  return { fleet: undefined, presence: undefined, at, isNewcomer: false };
}

function changed(fleet: Name, presence: Presence, at: number): Wish {
  return { fleet, presence, at, isNewcomer: false };
}

function goneFrom(presence: Presence, { until = presence.since, last }: Sighting): Presence {
  return { ...presence, state: "gone", since: until, last };
}

function goneAt({ until = 0, isTold }: Sighting): number {
  return until + (isTold ? GRACE_MS : RETURN_MS);
}

/** The records that are other than before. A proxy stays in its part, so that a change rewrites no more than that. */
function written(
  recorded: PresenceParts,
  places: ReadonlyMap<string, Place>,
  due: readonly (readonly [string, Wish])[],
  isUnread: PresenceFacts["isUnread"],
): Map<string, PresencePart | undefined> {
  const parts = new Map(
    Array.from(recorded, ([name, { fleet, proxies }]) => {
      const own = proxies.filter(({ id }) => places.get(id)?.name === name);
      return [name, { fleet, proxies: new Map(own.map((one) => [one.id, one])) }] as const;
    }),
  );
  const touched = new Set(duplicates(recorded, places).keys());
  const newcomers: [Name, Presence][] = [];
  for (const [id, { fleet, presence }] of due) {
    const place = places.get(id);
    if (place !== undefined) touched.add(place.name);
    if (place !== undefined && presence !== undefined && place.fleet === fleet) {
      parts.get(place.name)?.proxies.set(id, presence);
      continue;
    }
    if (place !== undefined) parts.get(place.name)?.proxies.delete(id);
    if (fleet !== undefined && presence !== undefined) newcomers.push([fleet, presence]);
  }
  for (const [fleet, ofFleet] of Map.groupBy(newcomers, ([fleet]) => fleet)) {
    const own = [...parts].filter(([, part]) => part.fleet === fleet);
    let count = own.reduce((sum, [, { proxies }]) => sum + proxies.size, 0);
    const oldestFirst = own
      .flatMap(([name, { proxies }]) => Array.from(proxies.values(), (presence) => ({ name, presence })))
      .filter(({ presence }) => presence.state === "gone")
      .toSorted((a, b) => b.presence.since - a.presence.since);
    const isFull = (name: string) => isUnread(name) || (parts.get(name)?.proxies.size ?? 0) >= PROXIES_PER_PART;
    let number = 0;
    for (const [, presence] of ofFleet) {
      if (count >= MAX_RECORDED) {
        const oldest = oldestFirst.pop();
        if (oldest === undefined) break;
        parts.get(oldest.name)?.proxies.delete(oldest.presence.id);
        touched.add(oldest.name);
        count -= 1;
        number = 0;
      }
      while (isFull(presenceName(fleet, number))) number += 1;
      const name = presenceName(fleet, number);
      const part = parts.get(name) ?? { fleet, proxies: new Map<string, Presence>() };
      parts.set(name, part);
      part.proxies.set(presence.id, presence);
      touched.add(name);
      count += 1;
    }
  }
  return new Map(
    Array.from(touched, (name) => {
      const part = parts.get(name);
      const proxies = [...(part?.proxies.values() ?? [])];
      return [name, part === undefined || proxies.length === 0 ? undefined : { fleet: part.fleet, proxies }];
    }),
  );
}

/** Records that hold a proxy which is also in another one: a move between two fleets that was written only in half. */
function duplicates(
  recorded: PresenceParts,
  places: ReadonlyMap<string, Place>,
): Map<string, PresencePart | undefined> {
  const found = new Map<string, PresencePart | undefined>();
  for (const [name, { fleet, proxies }] of recorded) {
    const own = proxies.filter(({ id }) => places.get(id)?.name === name);
    if (own.length < proxies.length) found.set(name, own.length === 0 ? undefined : { fleet, proxies: own });
  }
  return found;
}

/** The name of one part of a fleet's record. */
export function presenceName(fleet: Name, number: number): string {
  return `${storeKey("fleet", fleet)}/${number}`;
}
