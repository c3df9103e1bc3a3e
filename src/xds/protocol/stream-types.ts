import { tombstonesFor } from "./collections.ts";
import { emptyNamespaces, provenBy } from "./companions.ts";
import type { ErrorDetail, Report } from "./events.ts";
import type { Flight } from "./flight.ts";
import { isAccepted, type LostAnswer } from "./lost-answers.ts";
import type { ResourceKey, Served } from "./resource.ts";
import { collectionOf, parseGlob } from "./resource-name.ts";
import type { StreamSettings } from "./stream-settings.ts";
import type { SubscriptionChange } from "./subscription.ts";
import { entitledNames } from "./target.ts";
import { TypeState } from "./type-state.ts";

/**
 * The types of one stream, and what its client's requests do to them, whichever of the two doors (`sotw.ts`, `delta.ts`)
 * they come through.
 */
export class StreamTypes {
  readonly all = new Map<string, TypeState>();
  /** The same, in the order in which responses leave. */
  ordered: readonly TypeState[] = [];
  served: Served | undefined;
  readonly remembered: ResourceKey[] = [];
  lost: readonly LostAnswer[] = [];
  readonly takesPartly: boolean;
  readonly #settings: StreamSettings;

  constructor(settings: StreamSettings) {
    this.#settings = settings;
    this.takesPartly = settings.takesPartly;
  }

  /** The state of a type, created at its first use; undefined for an unknown type. */
  of(typeUrl: string): TypeState | undefined {
    const known = this.all.get(typeUrl);
    if (known) return known;
    const { registry, tables } = this.#settings;
    const type = registry.byTypeUrl.get(typeUrl);
    if (!type) return undefined;
    const state = new TypeState(type, tables);
    this.all.set(typeUrl, state);
    this.ordered = registry.ordered.flatMap((each) => this.all.get(each.typeUrl) ?? []);
    return state;
  }

  attach(served: Served | undefined): void {
    if (served === this.served) return;
    this.served = served;
    if (served) for (const state of this.all.values()) this.#markAll(state, served);
  }

  publish(typeUrl: string, names: Iterable<string>, publication: number): void {
    const state = this.all.get(typeUrl);
    if (!state?.requested) return;
    const { served } = this;
    for (const name of names) {
      if (!this.#concerns(state, name)) continue;
      if (state.type.removal === "never" && state.sent.has(name) && !served?.get(typeUrl, name)) state.gone.add(name);
      if (state.type.collections && served && !served.get(typeUrl, name)) {
        // Members of a collection that nothing names any more are left alone; others the client may have from before (xds R19).
        if (served.isRetired(typeUrl, collectionOf(name) ?? name)) continue;
        if (!state.sent.has(name)) state.unknown.add(name);
      }
      state.mark(name, publication);
    }
  }

  /** Starts a type once its first request has been read. */
  start(state: TypeState, now: number, reports: Report[], mustAnswer: boolean): void {
    state.requested = true;
    state.requestedAt = now;
    state.precedesParent = this.#isAskedBeforeParent(state);
    state.mustAnswer = mustAnswer;
    for (const name of [...state.behind]) if (!state.subscription.covers(name)) state.settle(name);
    const { typeUrl } = state.type;
    const lost = this.lost.filter((each) => each.typeUrl === typeUrl && !isAccepted(state, each));
    const remembered = this.remembered.filter((each) => each.typeUrl === typeUrl);
    for (const { name } of [...remembered, ...lost.flatMap(({ items }) => items)]) {
      if (state.subscription.covers(name) || state.sent.has(name)) state.unknown.add(name);
    }
    if (this.served) this.#markAll(state, this.served);
    reports.push(subscribed(state));
  }

  /** Applies a later request's change to what the client asks for. */
  change(state: TypeState, change: SubscriptionChange, reports: Report[]): void {
    const { subscription, sent } = state;
    if (change.wildcard === "same" && change.added.length === 0 && change.removed.length === 0) return;
    for (const name of change.removed) {
      const own = this.served?.get(state.type.typeUrl, name)?.name ?? name;
      if (!subscription.covers(own)) state.forget(own);
      else if (this.#settings.variant === "delta") this.require(state, own);
    }
    if (change.wildcard === "removed" || change.removed.some((name) => parseGlob(name))) {
      for (const name of [...sent.keys()]) if (!subscription.covers(name)) state.forget(name);
      for (const name of [...state.due.keys()]) if (!subscription.covers(name)) state.settle(name);
    }
    if (change.wildcard === "added") {
      state.mustAnswer = true;
      if (this.served) this.#markAll(state, this.served);
    }
    for (const name of change.added) this.require(state, name);
    reports.push(subscribed(state));
  }

  /** The client asks for this name now: it gets an answer even if it has the resource, or if there is none. */
  require(state: TypeState, name: string): void {
    const { typeUrl } = state.type;
    if (this.served && parseGlob(name)) {
      for (const member of this.served.members(typeUrl, name)) {
        state.force(member.name, this.served.publicationOf(typeUrl, member.name));
      }
      this.#markTombstones(state, this.served);
    }
    state.force(name, this.served?.publicationOf(typeUrl, name) ?? 0);
  }

  accept(state: TypeState, flight: Flight, reports: Report[]): void {
    const cleared = state.unknown.size > 0 ? [...flight.items.keys()].filter((name) => state.unknown.has(name)) : [];
    state.accept(flight);
    const { typeUrl } = state.type;
    reports.push({ kind: "ack", typeUrl, flight });
    if (cleared.length > 0) reports.push({ kind: "cleared", typeUrl, names: cleared });
  }

  refuse(state: TypeState, flight: Flight, error: ErrorDetail, now: number, reports: Report[]): void {
    const refusal = state.refuse(flight, { ...error, at: now });
    // Parts of the response may have been replaced while the answer was withheld: then the rest is due again at once.
    for (const { name, publication } of refusal.items.values()) state.mark(name, publication ?? Infinity);
    reports.push({ kind: "nack", typeUrl: state.type.typeUrl, refusal });
  }

  /** Notes what the acknowledgements in these reports prove live. */
  proveLive(reports: readonly Report[]): void {
    for (const { typeUrl, name } of provenBy(this.all, reports)) this.all.get(typeUrl)?.proven.add(name);
  }

  /**
   * A stream begins with endpoints if a cluster was warming when the last stream broke: the client asks for clusters only
   * when the warming is over, so the endpoints are due whatever version it holds (xds R4).
   */
  #isAskedBeforeParent({ type }: TypeState): boolean {
    const { aggregated, registry } = this.#settings;
    const parents = registry.ordered.filter((parent) => parent.overtakes && parent.companions.includes(type.typeUrl));
    return aggregated && type.absent !== "removed" && parents.some(({ typeUrl }) => !this.all.get(typeUrl)?.requested);
  }

  #markAll(state: TypeState, served: Served): void {
    const { typeUrl } = state.type;
    for (const name of entitledNames(state, served)) state.mark(name, served.publicationOf(typeUrl, name));
    for (const name of state.sent.keys()) state.mark(name, served.publicationOf(typeUrl, name));
    for (const name of state.unknown) state.mark(name, served.publicationOf(typeUrl, name));
    this.#markTombstones(state, served);
    if (!state.mustAnswer || !state.type.namespaced) return;
    for (const name of emptyNamespaces(this.#settings.registry, typeUrl, served)) state.force(name, Infinity);
  }

  #markTombstones(state: TypeState, served: Served): void {
    const { typeUrl, collections } = state.type;
    if (!collections) return;
    for (const name of tombstonesFor(state, served)) {
      state.unknown.add(name);
      state.mark(name, served.publicationOf(typeUrl, name));
    }
  }

  #concerns(state: TypeState, name: string): boolean {
    if (state.subscription.covers(name) || state.sent.has(name) || state.unknown.has(name)) return true;
    const aliases = this.served?.get(state.type.typeUrl, name)?.aliases;
    return aliases !== undefined && aliases.length > 0 && state.subscription.covers(name, aliases);
  }
}

function subscribed({ subscription, type }: TypeState): Report {
  return { kind: "subscribe", typeUrl: type.typeUrl, names: subscription.names.size, wildcard: subscription.wildcard };
}
