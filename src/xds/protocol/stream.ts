import { refusedInTheWay } from "./addresses.ts";
import { type ClientCollections, collectionsOf } from "./collections.ts";
import { companionsOf } from "./companions.ts";
import { composeLeaving, type Outgoing, type Stamp } from "./compose.ts";
import { receiveDelta } from "./delta.ts";
import type { DeltaRequest, Report, Send, SotwRequest } from "./events.ts";
import type { FlushContext, Hold } from "./flush-context.ts";
import type { LostAnswer } from "./lost-answers.ts";
import { Nonces } from "./nonces.ts";
import { isQuiet, oldestPending } from "./pending.ts";
import { leavingOf, planType } from "./plan.ts";
import { dueRenewals, nextRenewal } from "./renewals.ts";
import type { Served } from "./resource.ts";
import { isNobody } from "./resource-name.ts";
import { allOf, changedRefusals, dueRetries } from "./retries.ts";
import { roomOf } from "./room.ts";
import { composeFull, composePartial, isCurrent, receiveSotw } from "./sotw.ts";
import type { StreamSettings } from "./stream-settings.ts";
import { StreamTypes } from "./stream-types.ts";
import type { Leaving, TypePlan } from "./type-plan.ts";
import type { TypeReadings, TypeState } from "./type-state.ts";

export type Flushed = {
  readonly sends: readonly Send[];
  readonly reports: readonly Report[];
  /** When to flush again although nothing happened; Infinity for never. */
  readonly wakeAt: number;
};

const QUIET: Flushed = { sends: [], reports: [], wakeAt: Infinity };

/** A flush: what it decides by, and what it collects as it goes. */
type Course = FlushContext & { sends: Send[]; readonly reports: Report[]; wakeAt: number };

/**
 * The server's side of the protocol on one stream: requests and publications in, responses out. It has no clock, socket or
 * promise; `now` comes with each event, from any clock that never goes back.
 *
 * Functions that only read (`TypeReading`) decide what will happen and return it as data; only this class and `StreamTypes`
 * carry it out. They do so in place, since each publication touches a stream and must cost only as much as it made
 * dirty. SotW and delta are two doors, `sotw.ts` and `delta.ts`, to the same subscription and the same plan.
 */
export class ProtocolStream {
  readonly #types: StreamTypes;
  readonly #settings: StreamSettings;
  readonly #nonces: Nonces;
  #sequence = 0;

  constructor(settings: StreamSettings) {
    this.#settings = settings;
    this.#types = new StreamTypes(settings);
    this.#nonces = new Nonces(settings.nonceTags);
  }

  /** What is known of each type used on the stream. */
  get states(): TypeReadings {
    return this.#types.all;
  }

  /** Gives the stream what its group is served, if anything: without that it is silent, but forgets nothing (law 10). */
  attach(served: Served | undefined): void {
    this.#types.attach(served);
  }

  /** Notes a resource that this client refused on an earlier stream: what it presents of it is not the truth (xds R16). */
  remember(typeUrl: string, name: string): void {
    this.#types.remembered.push({ typeUrl, name });
  }

  /** Notes responses of an earlier stream that this client may have refused, though no NACK arrived. */
  recall(lost: readonly LostAnswer[]): void {
    this.#types.lost = lost;
  }

  receiveSotw(request: SotwRequest, now: number): Report[] {
    return receiveSotw(this.#types, request, now);
  }

  receiveDelta(request: DeltaRequest, now: number): Report[] {
    return receiveDelta(this.#types, request, now);
  }

  /** Tells the stream that resources of one type have changed, appeared or disappeared among those served. */
  publish(typeUrl: string, names: Iterable<string>, publication: number): void {
    this.#nonces.published(publication);
    this.#types.publish(typeUrl, names, publication);
  }

  /** Makes what was held due again. Returns whether there was anything. */
  releaseHolds(): boolean {
    let any = false;
    for (const state of this.#types.ordered) any = state.releaseHolds() || any;
    return any;
  }

  /** Makes everything that the client should have of a type, or of all types, due again, refused or not; returns how many. */
  resend(typeUrl?: string): number {
    const { served, ordered } = this.#types;
    if (!served) return 0;
    let count = 0;
    for (const state of ordered) {
      if (!state.requested || (typeUrl ?? state.type.typeUrl) !== state.type.typeUrl) continue;
      const names = allOf(state, served);
      for (const name of names) state.force(name, Infinity);
      count += names.size;
    }
    return count;
  }

  /** Returns all responses that may leave now, in order. Call it only while the socket takes writes. */
  flush(now: number, hold: Hold): Flushed {
    const { served, all, ordered } = this.#types;
    if (!served || this.isQuiet()) return QUIET;
    const settings = this.#settings;
    const course: Course = { settings, states: all, served, now, hold, sends: [], reports: [], wakeAt: Infinity };
    for (const state of ordered) {
      if (!state.requested) continue;
      if (state.refused.size > 0) this.#retry(course, state);
      if (state.renewals.size > 0) this.#renew(course, state);
      while (this.#flushType(course, state));
    }
    return course;
  }

  /** Whether nothing is due or will be without an event: a flush would find nothing to do. */
  isQuiet(): boolean {
    for (const state of this.#types.ordered) if (state.requested && !isQuiet(state)) return false;
    return true;
  }

  /** The oldest publication with anything due, held or in flight; undefined when all is settled. */
  oldestPending(): number | undefined {
    let oldest = Infinity;
    for (const state of this.#types.ordered) if (state.requested) oldest = Math.min(oldest, oldestPending(state));
    return oldest === Infinity ? undefined : oldest;
  }

  /** The stream that asks for a collection may not be the one that names it: a client has settled only when both agree. */
  collections(): ClientCollections {
    return collectionsOf(this.#types.all, this.#types.served);
  }

  #retry(course: Course, state: TypeState): void {
    const { names, wakeAt } = dueRetries(course, state);
    course.wakeAt = Math.min(course.wakeAt, wakeAt);
    if (names.length === 0) return;
    for (const name of names) state.force(name, Infinity);
    state.retriedAt = course.now;
  }

  /** Renews what would expire at the client, by a heartbeat or, in SotW, by sending it again (xds R11). */
  #renew(course: Course, state: TypeState): void {
    const { now } = course;
    const { due, over } = dueRenewals(state, now);
    for (const name of over) state.renewals.delete(name);
    state.renewLater(due, now);
    course.wakeAt = Math.min(course.wakeAt, nextRenewal(state));
    if (due.length === 0) return;
    if (this.#settings.variant === "sotw" || !state.type.heartbeats) {
      for (const { name } of due) state.force(name, Infinity);
      return;
    }
    const stamp = this.#stamp(now);
    this.#spend();
    const { send, flight } = composeLeaving(state, { upserts: due, removals: [], displaced: [] }, "", stamp);
    state.flights.push(flight);
    course.sends.push({ ...send, heartbeat: true });
  }

  /** Sends at most one response; returns true when another one belongs right behind it. */
  #flushType(course: Course, state: TypeState): boolean {
    if (state.due.size === 0 && !state.mustAnswer) return false;
    if (this.#isSilentlyCurrent(state, course.served)) return false;
    const room = roomOf(course, state);
    course.wakeAt = Math.min(course.wakeAt, room.wakeAt);
    if (room.lets === "none") return false;
    const leaving = this.#plan(course, state, room.lets === "behind" ? state.behind : undefined);
    const outgoing = this.#compose(state, course.served, leaving, this.#stamp(course.now));
    if (!outgoing) return false;
    this.#spend();
    this.#launch(course, state, outgoing);
    return leaving.displaced.length > 0;
  }

  /** Plans what is due of a type, and carries out the plan for everything that does not leave. */
  #plan(course: Course, state: TypeState, only: TypeState["behind"] | undefined): Leaving {
    if (state.refused.size > 0) this.#reconsider(state, course.served);
    let plan: TypePlan;
    do {
      plan = planType(course, state, only);
      state.follow(plan);
      course.reports.push(...plan.reports);
      course.wakeAt = Math.min(course.wakeAt, plan.wakeAt);
    } while (plan.renamed.size > 0);
    return leavingOf(state, plan);
  }

  #reconsider(state: TypeState, served: Served): void {
    const { typeUrl } = state.type;
    state.reconsider(changedRefusals(state, served), (name) => served.publicationOf(typeUrl, name));
    for (let found = refusedInTheWay(state, served); found.length > 0; found = refusedInTheWay(state, served)) {
      for (const name of found) state.force(name, Infinity);
    }
  }

  #compose(state: TypeState, served: Served, leaving: Leaving, stamp: Stamp): Outgoing | undefined {
    const { upserts, removals, displaced, kept } = leaving;
    const empty = upserts.length + removals.length + displaced.length === 0;
    if (empty && (!state.mustAnswer || kept.size > 0)) return undefined;
    if (this.#settings.variant === "delta") return composeLeaving(state, leaving, "", stamp);
    if (!state.type.fullSet) {
      for (const name of removals) state.forget(name);
      return upserts.length > 0 ? composePartial(state, served, leaving, stamp) : undefined;
    }
    const outgoing = composeFull(state, served, leaving, stamp);
    const size = outgoing?.send.resources.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
    if (size > this.#settings.maxResponseBytes) {
      for (const { name } of upserts) state.hold(name, "response_too_large");
      return undefined;
    }
    return outgoing;
  }

  #launch(course: Course, state: TypeState, { send, flight }: Outgoing): void {
    const { served, now } = course;
    for (const { typeUrl, name } of companionsOf(this.#types, served, state, send.resources)) {
      const companion = this.#types.of(typeUrl);
      if (isNobody(name)) companion?.force(name, Infinity);
      else companion?.forceBehind(name, served.publicationOf(typeUrl, name));
    }
    state.launch(flight);
    if (this.#settings.honoursTtl) state.renewLater(send.resources, now);
    // A pushed array has room for many; nearly all of these stay at one.
    if (course.sends.length === 0) course.sends = [send];
    else course.sends.push(send);
  }

  #isSilentlyCurrent(state: TypeState, served: Served): boolean {
    const presented = state.presentedVersion;
    if (presented === undefined) return false;
    state.presentedVersion = undefined;
    if (!isCurrent(state, served, presented)) return false;
    state.adoptAll(served.list(state.type.typeUrl));
    return state.due.size === 0;
  }

  #stamp(now: number): Stamp {
    const sequence = this.#sequence + 1;
    return { nonce: this.#nonces.next(sequence), sequence, now, withTtl: this.#settings.honoursTtl };
  }

  #spend(): void {
    this.#sequence++;
    this.#nonces.spend();
  }
}
