import { orderByAddress, refusedInTheWay } from "./addresses.ts";
import type { Plan } from "./compose.ts";
import type { Report } from "./events.ts";
import type { Refusal } from "./flight.ts";
import { causeOf, type Gate, type Referrers, referrersOf, upsertGate } from "./gates.ts";
import type { Resource, ResourceKey, View } from "./resource.ts";
import type { Registry } from "./resource-types.ts";
import { needOf, referredToByClient, targetOf } from "./target.ts";
import type { TypeState, TypeStates } from "./type-state.ts";

/** Why something must be kept back from this client, or undefined. `version` is empty for a removal. */
export type Hold = (resource: ResourceKey, version: string) => string | undefined;

/** All that one flush decides by. */
export type FlushContext = {
  readonly registry: Registry;
  readonly variant: "sotw" | "delta";
  readonly states: TypeStates;
  readonly view: View;
  readonly now: number;
  readonly hold: Hold;
  /** How long one resource waits for another before it goes anyway. */
  readonly waitMs: number;
  /** How long a response of an overtaking type (CDS) keeps back an unrelated one. */
  readonly overtakeMs: number;
  /** Largest response. */
  readonly maxBytes: number;
  /** Most names in one response that were asked for and do not exist. */
  readonly maxAbsent: number;
  /** Until when a client that resumed may still be expected to ask for more types, from its first request of one. */
  readonly settleMs: number;
  readonly reports: Report[];
  wakeAt: number;
};

/**
 * Sorts what is due of one type into what goes now and what is kept back, asking the holds and the references.
 * What turns out to need nothing stops being due.
 */
export function planType(context: FlushContext, state: TypeState, only?: Pick<ReadonlySet<string>, "has">): Plan {
  const { view } = context;
  if (state.refused.size > 0) retryRefused(state, view);
  let upserts: Resource[] = [];
  const removalsDue: string[] = [];
  let bytes = 0;
  let gated: Gate | undefined;
  const isReferredTo = referredToByClient(context.states, state.type.typeUrl);
  const names = [...state.due.keys()];
  const mayDivide = context.variant === "delta" || !state.type.fullSet;
  let absent = 0;
  for (const name of names) {
    if (only && !only.has(name)) continue;
    if (mayDivide && isAbsent(state, view, name) && absent++ >= context.maxAbsent) continue;
    const need = needOf(state, view, name, isReferredTo);
    if (need.kind === "nothing") {
      adopt(state, view, name);
      state.settle(name);
    } else if (need.kind === "remove") {
      removalsDue.push(name);
    } else {
      const { resource } = need;
      if (resource.name !== name) {
        if (!state.due.has(resource.name)) names.push(resource.name);
        rename(state, name, resource.name);
        continue;
      }
      const reason = context.hold(resource, resource.version) ?? tooLarge(context, resource);
      if (reason !== undefined) {
        state.hold(resource.name, reason);
        continue;
      }
      const gate = upsertGate(context, state, resource);
      if (gate && isWaiting(context, state, resource.name, gate)) {
        gated ??= gate;
        continue;
      }
      if (!state.type.fullSet && upserts.length > 0 && bytes + resource.bytes > context.maxBytes) continue;
      bytes += resource.bytes;
      // A pushed array has room for many; nearly all of these stay at one.
      if (upserts.length === 0) upserts = [resource];
      else upserts.push(resource);
    }
  }
  const removals = removalsDue.length > 0 ? planRemovals(context, state, removalsDue, gated) : removalsDue;
  const wantsAddress = upserts.some(({ addresses }) => addresses.length > 0);
  const ordered = wantsAddress ? inOrder(context, state, upserts, removals) : { upserts, displaced: NOBODY };
  return { ...ordered, removals, kept: keptOf(state, { ...ordered, removals }) };
}

function isAbsent(state: TypeState, view: View, name: string): boolean {
  return state.forced.has(name) && view.get(state.type.typeUrl, name) === undefined;
}

/** Additions go behind those whose addresses they take; whom they would find there still, they wait for. */
function inOrder(
  context: FlushContext,
  state: TypeState,
  planned: readonly Resource[],
  removals: readonly string[],
): Pick<Plan, "upserts" | "displaced"> {
  const { typeUrl } = state.type;
  const { upserts, displaced, waiting } = orderByAddress(state, context.view, { upserts: planned, removals });
  for (const resource of planned) {
    const name = waiting.get(resource.name);
    if (name === undefined) continue;
    const gate = { on: { typeUrl, name }, cause: causeOf(state, name) };
    if (!isWaiting(context, state, resource.name, gate)) upserts.push(resource);
  }
  return { upserts, displaced };
}

/**
 * A removal leaves after what replaces it: when no older content that the client may run refers to it, and, for a
 * type whose members stand in for each other, when no addition waits.
 */
function planRemovals(
  context: FlushContext,
  state: TypeState,
  names: readonly string[],
  gated: Gate | undefined,
): string[] {
  let referrers: Referrers | undefined;
  return names.filter((name) => {
    const key = { typeUrl: state.type.typeUrl, name };
    const held = context.hold(key, "");
    if (held !== undefined) {
      state.hold(name, held);
      return false;
    }
    if (!state.sent.has(name) && !state.unknown.has(name)) return true;
    referrers ??= referrersOf(context.registry, context.states, context.view, state.type.typeUrl);
    const settling = state.resumed ? unasked(context, state) : undefined;
    const gate = gated ?? referrers.byName.get(name) ?? referrers.unreadable ?? settling;
    return !(gate && isWaiting(context, state, name, gate));
  });
}

/** A referring type that a resumed client has not asked for yet: what it runs may still refer to anything. */
function unasked(context: FlushContext, state: TypeState): Gate | undefined {
  const settlesAt = state.requestedAt + context.settleMs;
  if (context.now >= settlesAt) return undefined;
  const type = context.registry.ordered.find(
    ({ typeUrl, waitsFor }) =>
      waitsFor.includes(state.type.typeUrl) &&
      !context.states.get(typeUrl)?.requested &&
      Iterator.from(context.view.list(typeUrl)).some(() => true),
  );
  if (!type) return undefined;
  context.wakeAt = Math.min(context.wakeAt, settlesAt);
  return { on: { typeUrl: type.typeUrl, name: "*" }, cause: "progress" };
}

/** Starts or continues a wait; false once its bound is met. */
function isWaiting(context: FlushContext, state: TypeState, name: string, gate: Gate): boolean {
  const { now, waitMs } = context;
  const known = state.waits.get(name);
  const hasBound = gate.cause === "progress";
  const since = known?.cause === "progress" && hasBound ? known.since : now;
  const wait = { ...gate, since, late: known?.late ?? false };
  state.waits.set(name, wait);
  if (!hasBound) return true;
  const waitedMs = now - wait.since;
  if (waitedMs < waitMs) {
    context.wakeAt = Math.min(context.wakeAt, wait.since + waitMs);
    return true;
  }
  if (!wait.late) {
    wait.late = true;
    context.reports.push({ kind: "late", resource: { typeUrl: state.type.typeUrl, name }, on: gate.on, waitedMs });
  }
  return false;
}

/**
 * A refused response is tried again when any part of it has changed, and then all of it, since the client may have
 * applied any part (xds R16). Until then its members are not due.
 */
function retryRefused(state: TypeState, view: View): void {
  const unchanged = new Set<Refusal>();
  for (const name of [...state.due.keys()]) {
    const refusal = state.refused.get(name);
    if (!refusal || state.forced.has(name)) continue;
    if (unchanged.has(refusal) || !hasChanged(refusal, state, view)) {
      unchanged.add(refusal);
      state.settle(name);
      continue;
    }
    for (const member of refusal.items.keys()) {
      if (state.refused.get(member) !== refusal) continue;
      state.refused.delete(member);
      if (member !== name) state.mark(member, view.publicationOf(state.type.typeUrl, member));
    }
  }
  for (let found = refusedInTheWay(state, view); found.length > 0; found = refusedInTheWay(state, view)) {
    for (const name of found) state.force(name, Infinity);
  }
}

function hasChanged({ items }: Refusal, state: TypeState, view: View): boolean {
  return items.values().some((item) => !item.kept && targetOf(state, view, item.name)?.hash !== item.resource?.hash);
}

/** What the client presented turns out to be what it should have: from now on its content is known. */
function adopt(state: TypeState, view: View, name: string): void {
  const target = targetOf(state, view, name);
  if (target && state.sent.has(name)) state.sent.set(name, target);
}

/** Asked for by alias: what is due is due under the resource's own name. */
function rename(state: TypeState, from: string, to: string): void {
  const publication = state.due.get(from) ?? 0;
  const forced = state.forced.has(from);
  state.settle(from);
  if (forced) state.force(to, publication);
  else state.mark(to, publication);
}

function tooLarge(context: FlushContext, resource: Resource): string | undefined {
  return resource.bytes > context.maxBytes ? "response_too_large" : undefined;
}

function keptOf(
  state: TypeState,
  { upserts, removals, displaced }: Pick<Plan, "upserts" | "removals" | "displaced">,
): ReadonlySet<string> {
  if (state.held.size === 0 && state.due.size === upserts.length + removals.length + displaced.length) return NONE;
  const kept = new Set([...state.due.keys(), ...state.held.keys()]);
  for (const { name } of upserts) kept.delete(name);
  for (const name of [...removals, ...displaced]) kept.delete(name);
  return kept;
}

const NONE: ReadonlySet<string> = new Set();
const NOBODY: readonly string[] = [];
