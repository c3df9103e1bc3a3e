import { type ClientCollections, collectionsOf, hasLeft, markTombstones } from "./collections.ts";
import { markCompanions, markEmptyNamespaces, proveLive } from "./companions.ts";
import {
  composeDelta,
  composeFull,
  composePartial,
  type Outgoing,
  type Plan,
  type Stamp,
  versionOf,
} from "./compose.ts";
import type { DeltaRequest, Report, Send, SotwRequest } from "./events.ts";
import { isAccepted, type LostVerdict } from "./lost-verdicts.ts";
import { Nonces } from "./nonces.ts";
import { type FlushContext, type Hold, planType } from "./plan.ts";
import { dueRenewals, nextRenewal, scheduleRenewals } from "./renewals.ts";
import type { View } from "./resource.ts";
import { canonicalName, parseGlob } from "./resource-name.ts";
import type { ResourceType } from "./resource-types.ts";
import { forceAll, forceRetries } from "./retries.ts";
import { roomOf } from "./room.ts";
import type { StreamSettings } from "./stream-settings.ts";
import type { SubscriptionChange } from "./subscription.ts";
import { entitledNames } from "./target.ts";
import { TypeState } from "./type-state.ts";
import { readDeltaVerdict, readSotwVerdict } from "./verdict.ts";

export type Flushed = {
  readonly sends: readonly Send[];
  readonly reports: readonly Report[];
  /** When to flush again although nothing happened; Infinity for never. */
  readonly wakeAt: number;
};

const QUIET: Flushed = { sends: [], reports: [], wakeAt: Infinity };

/**
 * One stream's side of the protocol: requests and publications in, responses out. No clock, no socket, no promise;
 * `now` is any clock that never goes back, and comes with each event.
 *
 * State changes in place, since a stream is touched for each publication: what that costs must be what is dirty.
 */
export class ProtocolStream {
  readonly states = new Map<string, TypeState>();
  /** The same, in the order in which responses leave. */
  #ordered: readonly TypeState[] = [];
  readonly #settings: StreamSettings;
  readonly #presentedVersions = new Map<string, string>();
  readonly #remembered = new Map<string, Set<string>>();
  #lost: readonly LostVerdict[] = [];
  readonly #nonces: Nonces;
  #view: View | undefined;
  #sequence = 0;

  constructor(settings: StreamSettings) {
    this.#settings = settings;
    this.#nonces = new Nonces(settings.nonceTags);
  }

  /** Gives the stream its view, another one, or none: then it is silent and keeps the books (law 10). */
  attach(view: View | undefined): void {
    if (view === this.#view) return;
    this.#view = view;
    if (view) for (const state of this.states.values()) this.#markAll(state, view);
  }

  /** Resources that this client refused on an earlier stream: what it presents of them is not the truth (xds R16). */
  remember(typeUrl: string, name: string): void {
    const names = this.#remembered.get(typeUrl) ?? new Set();
    this.#remembered.set(typeUrl, names.add(name));
  }

  /** Responses of an earlier stream that this client may have refused, which was never heard. */
  recall(lost: readonly LostVerdict[]): void {
    this.#lost = lost;
  }

  receiveSotw(request: SotwRequest, now: number): Report[] {
    const reports: Report[] = [];
    const state = this.#state(request.typeUrl);
    if (!state) return reports;
    if (!state.requested) {
      const names = request.names ?? [];
      state.subscription.replace(names);
      state.mayHold = request.versionInfo !== "";
      state.acceptedVersion = request.versionInfo;
      if (state.subscription.names.size === 0 && state.mayHold) {
        this.#presentedVersions.set(request.typeUrl, request.versionInfo);
      }
      this.#start(state, now, reports, state.subscription.wildcard || state.type.fullSet);
      for (const name of state.subscription.names) this.#require(state, name);
      return reports;
    }
    readSotwVerdict(state, request, now, reports);
    proveLive(this.states, reports);
    if (request.names) this.#applyChange(state, state.subscription.replace(request.names), reports);
    return reports;
  }

  receiveDelta(request: DeltaRequest, now: number): Report[] {
    const reports: Report[] = [];
    const state = this.#state(request.typeUrl);
    if (!state) return reports;
    const first = !state.requested;
    if (!first) {
      readDeltaVerdict(state, request, now, reports);
      proveLive(this.states, reports);
    }
    const change = state.subscription.change(request.subscribe, request.unsubscribe);
    if (!first) {
      this.#applyChange(state, change, reports);
      return reports;
    }
    for (const [spelled, version] of request.initialVersions) {
      const name = canonicalName(spelled);
      const resource = this.#view?.get(request.typeUrl, name);
      if (state.subscription.covers(name, resource?.aliases)) state.sent.set(name, { version, hash: undefined });
    }
    state.resumed = request.initialVersions.size > 0;
    this.#start(state, now, reports, state.subscription.wildcard && !state.resumed);
    state.orphansAreEmpty = state.precedesParent;
    for (const name of change.added) {
      const own = this.#view?.get(request.typeUrl, name)?.name ?? name;
      if (state.precedesParent || !state.sent.has(own)) this.#require(state, name);
    }
    return reports;
  }

  /** Tells the stream that resources of one type have changed, appeared or gone in its view. */
  publish(typeUrl: string, names: Iterable<string>, publication: number): void {
    this.#nonces.published(publication);
    const state = this.states.get(typeUrl);
    if (!state?.requested) return;
    for (const name of names) {
      if (!this.#concerns(state, name)) continue;
      if (state.type.removal === "never" && state.sent.has(name) && !this.#view?.get(typeUrl, name))
        state.gone.add(name);
      const left = state.type.collections && this.#view && !this.#view.get(typeUrl, name);
      if (left && this.#view && !hasLeft(state, this.#view, name)) continue;
      state.mark(name, publication);
    }
  }

  /** What was held may have become free. */
  releaseHolds(): boolean {
    let any = false;
    for (const state of this.states.values()) any = state.releaseHolds() || any;
    return any;
  }

  /** Makes all that the client should have of a type, or of all, due again, refused or not; returns how many resources. */
  resend(typeUrl?: string): number {
    const view = this.#view;
    const states = this.#ordered.filter(
      ({ requested, type }) => requested && (typeUrl ?? type.typeUrl) === type.typeUrl,
    );
    return view ? states.reduce((sum, state) => sum + forceAll(state, view), 0) : 0;
  }

  /** All responses that may leave now, in order. Call it only while the socket takes writes. */
  flush(now: number, hold: Hold): Flushed {
    const view = this.#view;
    if (!view || this.isQuiet()) return QUIET;
    const { registry, variant, aggregated, settleMs, waitMs, overtakeMs, maxResponseBytes, maxAbsent, honoursTtl } =
      this.#settings;
    const context: FlushContext = {
      registry,
      variant,
      states: this.states,
      view,
      now,
      hold,
      waitMs,
      overtakeMs,
      maxBytes: maxResponseBytes,
      maxAbsent,
      settleMs: aggregated ? settleMs : 0,
      reports: [],
      wakeAt: Infinity,
    };
    let sends: Send[] = [];
    for (const state of this.#ordered) {
      if (!state.requested) continue;
      if (state.refused.size > 0) this.#retry(context, state);
      if (honoursTtl && state.renewals.size > 0) this.#renew(context, state, sends);
      for (
        let next = this.#flushType(context, state);
        next;
        next = next.goesOn ? this.#flushType(context, state) : undefined
      ) {
        if (state.type.companions.length > 0) this.#markCompanions(view, state, next.send);
        state.launch(next.flight);
        if (honoursTtl) scheduleRenewals(state, next.send.resources, now);
        // A pushed array has room for many; nearly all of these stay at one.
        if (sends.length === 0) sends = [next.send];
        else sends.push(next.send);
      }
    }
    return { sends, reports: context.reports, wakeAt: context.wakeAt };
  }

  /** Nothing is due or will be without an event: a flush would find nothing to do. */
  isQuiet(): boolean {
    for (const state of this.#ordered) if (state.requested && !state.isQuiet()) return false;
    return true;
  }

  /** The oldest publication of which something is due, held or in flight; undefined when all is settled. */
  oldestPending(): number | undefined {
    let oldest: number | undefined;
    for (const state of this.#ordered) {
      const own = state.requested ? state.oldestPending() : undefined;
      if (own !== undefined && (oldest === undefined || own < oldest)) oldest = own;
    }
    return oldest;
  }

  /** It may ask for one on another stream than names it: it has settled only when both are the same. */
  collections(): ClientCollections {
    return collectionsOf(this.states, this.#view);
  }

  #retry(context: FlushContext, state: TypeState): void {
    const { retry, variant } = this.#settings;
    const mayDivide = variant === "delta" || !state.type.fullSet;
    context.wakeAt = Math.min(context.wakeAt, forceRetries(state, context.now, retry, mayDivide));
  }

  /** Renews what would expire at the client: by a heartbeat, or in SotW by sending it again (xds R11). */
  #renew(context: FlushContext, state: TypeState, sends: Send[]): void {
    const due = dueRenewals(state, context.now);
    context.wakeAt = Math.min(context.wakeAt, nextRenewal(state));
    if (due.length === 0) return;
    if (this.#settings.variant === "sotw" || !state.type.heartbeats) {
      for (const { name } of due) state.force(name, Infinity);
      return;
    }
    const stamp = this.#stamp(context.now);
    this.#spend();
    const { send, flight } = composeDelta(state, { upserts: due, removals: [], displaced: [], kept: new Set() }, stamp);
    state.flights.push(flight);
    sends.push({ ...send, heartbeat: true });
  }

  #markCompanions(view: View, parent: TypeState, { resources }: Send): void {
    markCompanions((typeUrl) => this.#state(typeUrl), view, parent, resources);
  }

  #stamp(now: number): Stamp {
    const sequence = this.#sequence + 1;
    return { nonce: this.#nonces.next(sequence), sequence, now, withTtl: this.#settings.honoursTtl };
  }

  #spend(): void {
    this.#sequence++;
    this.#nonces.spend();
  }

  /** One response; it goes on when another one belongs right behind it. */
  #flushType(context: FlushContext, state: TypeState): (Outgoing & { readonly goesOn: boolean }) | undefined {
    if (state.due.size === 0 && !state.mustAnswer) return undefined;
    if (this.#isSilentlyCurrent(state, context.view)) return undefined;
    const room = roomOf(context, state);
    if (room === "none") return undefined;
    const plan = planType(context, state, room === "behind" ? state.behind : undefined);
    const outgoing = this.#compose(state, context, plan, this.#stamp(context.now));
    if (!outgoing) return undefined;
    this.#spend();
    return { ...outgoing, goesOn: plan.displaced.length > 0 };
  }

  #compose(state: TypeState, { view, maxBytes }: FlushContext, plan: Plan, stamp: Stamp): Outgoing | undefined {
    const empty = plan.upserts.length + plan.removals.length + plan.displaced.length === 0;
    if (empty && (!state.mustAnswer || plan.kept.size > 0)) return undefined;
    if (this.#settings.variant === "delta") return composeDelta(state, plan, stamp);
    if (!state.type.fullSet) {
      for (const name of plan.removals) state.forget(name);
      return plan.upserts.length > 0 ? composePartial(state, view, plan, stamp) : undefined;
    }
    const outgoing = composeFull(state, view, plan, stamp);
    if (outgoing && outgoing.send.resources.reduce((sum, { bytes }) => sum + bytes, 0) > maxBytes) {
      for (const { name } of plan.upserts) state.hold(name, "response_too_large");
      return undefined;
    }
    return outgoing;
  }

  /**
   * A stream begins with endpoints when a cluster was warming as the last one broke: it asks for clusters only when
   * the warming is over, so the endpoints are due whatever version it holds (xds R4).
   */
  #isAskedBeforeParent({ type }: TypeState): boolean {
    const { aggregated, registry } = this.#settings;
    const parents = registry.ordered.filter((parent) => parent.overtakes && parent.companions.includes(type.typeUrl));
    return (
      aggregated && type.absent !== "removed" && parents.some(({ typeUrl }) => !this.states.get(typeUrl)?.requested)
    );
  }

  /** xds S9: a pure wildcard that presents the version it would be sent is up to date; silence is right. */
  #isSilentlyCurrent(state: TypeState, view: View): boolean {
    if (this.#presentedVersions.size === 0) return false;
    const { typeUrl } = state.type;
    const presented = this.#presentedVersions.get(typeUrl);
    if (presented === undefined) return false;
    this.#presentedVersions.delete(typeUrl);
    const { subscription, unknown } = state;
    const pure = subscription.wildcard && subscription.names.size === 0 && unknown.size === 0;
    if (!pure || presented !== versionOf(state, view, { kept: new Set(), displaced: [] })) return false;
    for (const resource of view.list(typeUrl)) {
      state.sent.set(resource.name, resource);
      state.settle(resource.name);
    }
    state.mayHold = false;
    state.mustAnswer = false;
    return state.due.size === 0;
  }

  #start(state: TypeState, now: number, reports: Report[], mustAnswer: boolean): void {
    state.requested = true;
    state.requestedAt = now;
    state.precedesParent = this.#isAskedBeforeParent(state);
    state.mustAnswer = mustAnswer;
    for (const name of [...state.behind]) if (!state.subscription.covers(name)) state.settle(name);
    const { typeUrl } = state.type;
    const lost = this.#lost.filter((each) => each.typeUrl === typeUrl && !isAccepted(state, each));
    const doubtful = lost.flatMap(({ items }) => items.map(({ name }) => name));
    for (const name of [...(this.#remembered.get(typeUrl) ?? []), ...doubtful]) {
      if (state.subscription.covers(name) || state.sent.has(name)) state.unknown.add(name);
    }
    if (this.#view) this.#markAll(state, this.#view);
    reports.push(subscribed(state));
  }

  #applyChange(state: TypeState, change: SubscriptionChange, reports: Report[]): void {
    const { subscription, sent } = state;
    if (change.wildcard === "same" && change.added.length === 0 && change.removed.length === 0) return;
    for (const name of change.removed) {
      const own = this.#view?.get(state.type.typeUrl, name)?.name ?? name;
      if (!subscription.covers(own)) state.forget(own);
      else if (this.#settings.variant === "delta") this.#require(state, own);
    }
    if (change.wildcard === "removed") {
      for (const name of [...sent.keys()]) if (!subscription.covers(name)) state.forget(name);
      for (const name of [...state.due.keys()]) if (!subscription.covers(name)) state.settle(name);
    }
    if (change.wildcard === "added") {
      state.mustAnswer = true;
      if (this.#view) this.#markAll(state, this.#view);
    }
    for (const name of change.added) this.#require(state, name);
    reports.push(subscribed(state));
  }

  /** The client asks for this name now: it gets an answer even when it has it, or when there is none. */
  #require(state: TypeState, name: string): void {
    const { typeUrl } = state.type;
    if (this.#view && parseGlob(name)) {
      for (const member of this.#view.members(typeUrl, name)) {
        state.force(member.name, this.#view.publicationOf(typeUrl, member.name));
      }
      markTombstones(state, this.#view);
    }
    state.force(name, this.#view?.publicationOf(typeUrl, name) ?? 0);
  }

  #markAll(state: TypeState, view: View): void {
    const { typeUrl } = state.type;
    for (const name of entitledNames(state, view)) state.mark(name, view.publicationOf(typeUrl, name));
    for (const name of state.sent.keys()) state.mark(name, view.publicationOf(typeUrl, name));
    for (const name of state.unknown) state.mark(name, view.publicationOf(typeUrl, name));
    markTombstones(state, view);
    if (state.mustAnswer) markEmptyNamespaces(this.#settings.registry, state, view);
  }

  #concerns(state: TypeState, name: string): boolean {
    if (state.subscription.covers(name) || state.sent.has(name) || state.unknown.has(name)) return true;
    const aliases = this.#view?.get(state.type.typeUrl, name)?.aliases;
    return aliases !== undefined && aliases.length > 0 && state.subscription.covers(name, aliases);
  }

  #state(typeUrl: string): TypeState | undefined {
    const known = this.states.get(typeUrl);
    if (known) return known;
    const type: ResourceType | undefined = this.#settings.registry.byTypeUrl.get(typeUrl);
    if (!type) return undefined;
    const state = new TypeState(type, this.#settings.tables);
    this.states.set(typeUrl, state);
    this.#ordered = this.#settings.registry.ordered.flatMap((each) => this.states.get(each.typeUrl) ?? []);
    return state;
  }
}

function subscribed(state: TypeState): Report {
  const { subscription, type } = state;
  return { kind: "subscribe", typeUrl: type.typeUrl, names: subscription.names.size, wildcard: subscription.wildcard };
}
