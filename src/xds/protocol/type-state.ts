import { type Flight, type Refusal, repeatedFrom } from "./flight.ts";
import type { Reading } from "./reading.ts";
import type { Resource } from "./resource.ts";
import type { ResourceType } from "./resource-types.ts";
import { SentTable } from "./sent-table.ts";
import type { SharedTables } from "./shared-tables.ts";
import { SparseMap, SparseSet } from "./sparse.ts";
import { Subscription } from "./subscription.ts";
import type { TypePlan, Wait } from "./type-plan.ts";

/** A TTL is renewed when a third of it has passed, so that two renewals may be late before anything expires. */
const RENEWALS_PER_TTL = 3;

/** A type's state as all but its stream see it: to be read at once, since the stream's next event changes it. */
export type TypeReading = Reading<TypeState>;

/** All types of one stream. */
export type TypeReadings = ReadonlyMap<string, TypeReading>;

/**
 * What one stream knows about one type: what the client asked for, holds, was offered and refused, and what is due.
 *
 * Once settled, a stream shares its tables with all streams that subscribe to the same; its own part is only as large as
 * what is unsettled.
 */
export class TypeState {
  readonly type: ResourceType;
  readonly subscription: Subscription;
  /** A request of this type has arrived on this stream. */
  requested = false;
  requestedAt = 0;
  /** What the client was sent last, acknowledged or not. */
  readonly sent = new SentTable();
  /** Names to look at, each with the publication that it waits for. */
  readonly due = new SparseMap<number>();
  /** Due although unchanged: asked for again, or behind a changed parent. */
  readonly forced = new SparseSet();
  /** Those forced names that must follow a parent that was just sent. */
  readonly behind = new SparseSet();
  /** Members of refused responses: the client may run any part of them (xds R16). */
  readonly unknown = new SparseSet();
  readonly refused = new SparseMap<Refusal>();
  readonly held = new SparseMap<{ readonly reason: string; readonly publication: number }>();
  readonly waits = new SparseMap<Wait>();
  /** In the order of sending. */
  readonly flights: Flight[] = [];
  /** New here, but proven live before their own response was acknowledged, because their endpoints were. */
  readonly proven = new SparseSet();
  /** The next flush answers even when there is nothing to send (xds R23). */
  mustAnswer = false;
  /** When a refused resource last went out again though nothing had changed. */
  retriedAt = -Infinity;
  /** Deleted without telling the client, since it keeps what it has: due when they are made again, unchanged or not. */
  readonly gone = new SparseSet();
  /** When the TTL of what was sent must be renewed. */
  readonly renewals = new SparseMap<number>();
  /** Asked for before the type that leads to it: a parent is warming at the client (xds R4). */
  precedesParent = false;
  /** As above, and the client tells what it holds: where it holds nothing, it has nothing to lose. */
  orphansAreEmpty = false;
  /** Delta: the client came with resources of an earlier stream. */
  resumed = false;
  /** SotW: the client may hold resources that this stream has not sent. */
  mayHold = false;
  lastNonce = "";
  /** SotW: the version of all that the client has, as its first request said; looked at once. */
  presentedVersion: string | undefined = undefined;
  /** SotW: the last `version_info` the client accepted. */
  acceptedVersion = "";
  acks = 0;
  nacks = 0;

  /** Names that were unsubscribed while in flight. */
  readonly #givenUp = new SparseSet();
  readonly #tables: SharedTables | undefined;

  constructor(type: ResourceType, tables?: SharedTables) {
    this.type = type;
    this.#tables = tables;
    this.subscription = new Subscription(type, tables);
  }

  /** Marks a name for the next flush to look at; an earlier publication that is still open is kept. */
  mark(name: string, publication: number): void {
    const held = this.held.get(name);
    if (held) this.held.delete(name);
    const earliest = Math.min(publication, held?.publication ?? Infinity, this.due.get(name) ?? Infinity);
    this.due.set(name, earliest);
  }

  force(name: string, publication: number): void {
    this.forced.add(name);
    this.mark(name, publication);
  }

  /** Forces what must leave right behind its parent. What the client already has is not news. */
  forceBehind(name: string, publication: number): void {
    const repeats = !this.due.has(name) && this.sent.has(name);
    this.behind.add(name);
    this.force(name, repeats ? Infinity : publication);
  }

  /** Nothing is due for this name any more. */
  settle(name: string): void {
    this.due.delete(name);
    this.forced.delete(name);
    this.behind.delete(name);
    this.waits.delete(name);
    this.held.delete(name);
  }

  /** The client no longer wants this name: what it held does not matter any more. */
  forget(name: string): void {
    this.settle(name);
    this.refused.delete(name);
    this.gone.delete(name);
    // What is still on its way arrives all the same, perhaps after the client wants it again.
    if (this.flights.some((flight) => flight.items.has(name))) this.#givenUp.add(name);
    else this.sent.delete(name);
  }

  hold(name: string, reason: string): void {
    this.held.set(name, { reason, publication: this.due.get(name) ?? 0 });
    this.due.delete(name);
    this.waits.delete(name);
  }

  /** Makes everything held back due again. Returns whether there was anything. */
  releaseHolds(): boolean {
    for (const [name, { publication }] of this.held) this.due.set(name, publication);
    const any = this.held.size > 0;
    this.held.clear();
    return any;
  }

  /** Lets all members of changed refusals go again; of the others, nothing is due. */
  reconsider(changed: ReadonlySet<Refusal>, publicationOf: (name: string) => number): void {
    for (const name of [...this.due.keys()]) {
      const refusal = this.refused.get(name);
      if (!refusal || this.forced.has(name)) continue;
      if (!changed.has(refusal)) {
        this.settle(name);
        continue;
      }
      for (const member of refusal.items.keys()) {
        if (this.refused.get(member) !== refusal) continue;
        this.refused.delete(member);
        if (member !== name) this.mark(member, publicationOf(member));
      }
    }
  }

  /** Carries out a plan for everything that does not leave; the rest is in a response. */
  follow({ settled, renamed, held, waits }: TypePlan): void {
    // Nearly all of these are empty, and an iterator costs something all the same.
    if (settled.size > 0) {
      for (const [name, resource] of settled) {
        if (resource) this.sent.set(name, resource);
        this.settle(name);
      }
    }
    if (renamed.size > 0) for (const [alias, own] of renamed) this.#rename(alias, own);
    if (held.size > 0) for (const [name, reason] of held) this.hold(name, reason);
    if (waits.size > 0) for (const [name, wait] of waits) this.waits.set(name, wait);
  }

  /** Records that the client already has all of these. */
  adoptAll(resources: Iterable<Resource>): void {
    for (const resource of resources) {
      this.sent.set(resource.name, resource);
      this.settle(resource.name);
    }
    this.mayHold = false;
    this.mustAnswer = false;
  }

  /** Records a response as sent. */
  launch(flight: Flight): void {
    for (const { name, resource, kept } of flight.items.values()) {
      if (resource) this.sent.set(name, resource);
      else this.sent.delete(name);
      if (this.gone.size > 0) this.gone.delete(name);
      if (!kept) this.settle(name);
      else if (!resource) this.behind.add(name);
    }
    this.flights.push(flight);
    this.lastNonce = flight.nonce;
    this.mustAnswer = false;
  }

  /** Notes by when what was just sent must be renewed. */
  renewLater(resources: readonly Resource[], now: number): void {
    for (const { name, ttlMs } of resources) {
      if (ttlMs === undefined) this.renewals.delete(name);
      else this.renewals.set(name, now + ttlMs / RENEWALS_PER_TTL);
    }
  }

  accept(flight: Flight): void {
    this.#land(flight);
    if (this.unknown.size > 0 || this.refused.size > 0) {
      for (const name of flight.items.keys()) {
        this.unknown.delete(name);
        this.refused.delete(name);
      }
    }
    this.acceptedVersion = flight.version;
    this.mayHold = false;
    this.acks++;
    if (this.#tables) this.sent.share(this.#tables, this.type.typeUrl);
  }

  /** Makes everything in the response unknown; from now on the client counts as having what it had before. */
  refuse(flight: Flight, answer: { code: number; message: string; at: number }): Refusal {
    this.#land(flight);
    const refusal = { ...answer, nonce: flight.nonce, ...repeatedFrom(this.refused, flight, answer.at) };
    for (const item of refusal.items.values()) {
      const later = this.flights.find((other) => other.items.has(item.name))?.items.get(item.name);
      if (later) later.before = item.before;
      else if (item.before) this.sent.set(item.name, item.before);
      else this.sent.delete(item.name);
      this.unknown.add(item.name);
      // What the response only kept has its own reason to wait, and goes when that ends.
      if (!item.kept) this.refused.set(item.name, refusal);
    }
    this.nacks++;
    return refusal;
  }

  /** What is due under an alias is due under the resource's own name. */
  #rename(alias: string, own: string): void {
    const publication = this.due.get(alias) ?? 0;
    const forced = this.forced.has(alias);
    this.settle(alias);
    if (forced) this.force(own, publication);
    else this.mark(own, publication);
  }

  #land(flight: Flight): void {
    if (this.flights[0] === flight) this.flights.shift();
    else this.flights.splice(this.flights.indexOf(flight), 1);
    if (this.proven.size > 0) for (const name of flight.items.keys()) this.proven.delete(name);
    if (this.#givenUp.size === 0) return;
    for (const name of flight.items.keys()) {
      if (this.flights.some((other) => other.items.has(name)) || !this.#givenUp.has(name)) continue;
      this.#givenUp.delete(name);
      if (!this.subscription.covers(name)) this.sent.delete(name);
    }
  }
}
