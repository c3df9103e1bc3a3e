import { orderByAddress } from "./addresses.ts";
import { type FlushContext, mayDivide } from "./flush-context.ts";
import { causeOf, type Gate, leavesBefore, type Referrers, referrersOf, successorOf, upsertGate } from "./gates.ts";
import type { Resource, Served } from "./resource.ts";
import { needOf, referredToByClient, targetOf } from "./target.ts";
import { Draft, type Leaving, type TypePlan } from "./type-plan.ts";
import type { TypeReading } from "./type-state.ts";

/** Sorts what is due of one type into what goes now and what is kept back, asking the holds and the references. */
export function planType(context: FlushContext, state: TypeReading, only?: Pick<ReadonlySet<string>, "has">): TypePlan {
  const { served, settings } = context;
  const draft = new Draft();
  const isReferredTo = referredToByClient(context.states, state.type.typeUrl);
  const mayDefer = mayDivide(context, state);
  const removalsDue: string[] = [];
  let bytes = 0;
  let gated: Gate | undefined;
  let absent = 0;
  for (const name of state.due.keys()) {
    if (only && !only.has(name)) continue;
    if (mayDefer && isAbsent(state, served, name) && absent++ >= settings.maxAbsent) continue;
    const need = needOf(state, served, name, isReferredTo);
    if (need === "nothing") {
      draft.settled.set(name, adopted(state, served, name));
    } else if (need === "removal") {
      removalsDue.push(name);
    } else if (need.name !== name) {
      draft.renamed.set(name, need.name);
    } else {
      const reason = context.hold(need, need.version) ?? tooLarge(context, need);
      const gate = reason === undefined ? upsertGate(context, state, need) : undefined;
      if (reason !== undefined) {
        draft.held.set(name, reason);
      } else if (gate && isWaiting(context, state, draft, { name, gate })) {
        gated ??= gate;
      } else if (state.type.fullSet || draft.upserts.length === 0 || bytes + need.bytes <= settings.maxResponseBytes) {
        bytes += need.bytes;
        // A pushed array reserves room for many, but nearly all of these hold one.
        if (draft.upserts.length === 0) draft.upserts = [need];
        else draft.upserts.push(need);
      }
    }
  }
  if (draft.renamed.size > 0) return draft;
  if (removalsDue.length > 0) draft.removals = planRemovals(context, state, draft, { names: removalsDue, gated });
  if (draft.upserts.some(({ addresses }) => addresses.length > 0)) putInOrder(context, state, draft);
  return draft;
}

/** What leaves under a plan once it has been followed. */
export function leavingOf(state: TypeReading, { upserts, removals, displaced }: TypePlan): Leaving {
  const isAll = state.held.size === 0 && state.due.size === upserts.length + removals.length + displaced.length;
  if (isAll) return { upserts, removals, displaced, kept: NONE };
  const kept = new Set([...state.due.keys(), ...state.held.keys()]);
  for (const { name } of upserts) kept.delete(name);
  for (const name of [...removals, ...displaced]) kept.delete(name);
  return { upserts, removals, displaced, kept };
}

function isAbsent(state: TypeReading, served: Served, name: string): boolean {
  return state.forced.has(name) && served.get(state.type.typeUrl, name) === undefined;
}

/** Puts additions behind those whose addresses they take; they wait for any that would still be there. */
function putInOrder(context: FlushContext, state: TypeReading, draft: Draft): void {
  const { typeUrl } = state.type;
  const { upserts, displaced, waiting } = orderByAddress(state, context.served, draft);
  for (const resource of draft.upserts) {
    const name = waiting.get(resource.name);
    if (name === undefined) continue;
    const gate = { on: { typeUrl, name }, cause: causeOf(state, name, draft) };
    if (!isWaiting(context, state, draft, { name: resource.name, gate })) upserts.push(resource);
  }
  draft.upserts = upserts;
  draft.displaced = displaced;
}

/**
 * A removal leaves after what replaces it: when no older content that the client may run refers to it, and, for a
 * type whose members stand in for each other, when no addition waits.
 */
function planRemovals(
  context: FlushContext,
  state: TypeReading,
  draft: Draft,
  { names, gated }: { readonly names: readonly string[]; readonly gated: Gate | undefined },
): string[] {
  let referrers: Referrers | undefined;
  return names.filter((name) => {
    const reason = context.hold({ typeUrl: state.type.typeUrl, name }, "");
    if (reason !== undefined) {
      draft.held.set(name, reason);
      return false;
    }
    if (!state.sent.has(name) && !state.unknown.has(name)) return true;
    referrers ??= referrersOf(context, state, draft);
    const settling = state.resumed ? unasked(context, state, draft) : undefined;
    const gate =
      gated ?? referrers.byName.get(name) ?? referrers.unreadable ?? settling ?? successorOf(context, state, name);
    return !(gate && isWaiting(context, state, draft, { name, gate }));
  });
}

/** A referring type that a resumed client has not asked for yet: what it runs may still refer to anything. */
function unasked(context: FlushContext, state: TypeReading, draft: Draft): Gate | undefined {
  const { registry, aggregated, settleMs } = context.settings;
  const settlesAt = state.requestedAt + settleMs;
  if (!aggregated || context.now >= settlesAt) return undefined;
  const type = registry.ordered.find(
    (parent) =>
      leavesBefore(parent, state.type) &&
      !context.states.get(parent.typeUrl)?.requested &&
      Iterator.from(context.served.list(parent.typeUrl)).some(() => true),
  );
  if (!type) return undefined;
  draft.wakeAt = Math.min(draft.wakeAt, settlesAt);
  return { on: { typeUrl: type.typeUrl, name: "*" }, cause: "progress" };
}

/** Starts or continues a wait; false once its bound is met. */
function isWaiting(
  { now, settings: { waitMs } }: FlushContext,
  state: TypeReading,
  draft: Draft,
  { name, gate }: { readonly name: string; readonly gate: Gate },
): boolean {
  const known = draft.waits.get(name) ?? state.waits.get(name);
  const hasBound = gate.cause === "progress";
  const since = known?.cause === "progress" && hasBound ? known.since : now;
  const waitedMs = now - since;
  const isOver = hasBound && waitedMs >= waitMs;
  const wasLate = known?.late ?? false;
  draft.waits.set(name, { ...gate, since, late: wasLate || isOver });
  if (hasBound && !isOver) draft.wakeAt = Math.min(draft.wakeAt, since + waitMs);
  if (isOver && !wasLate) {
    draft.reports.push({ kind: "late", resource: { typeUrl: state.type.typeUrl, name }, on: gate.on, waitedMs });
  }
  return !isOver;
}

/** The resource behind a name that needs nothing, if more is known of it than before. */
function adopted(state: TypeReading, served: Served, name: string): Resource | undefined {
  const known = state.sent.get(name);
  const target = known && targetOf(state, served, name);
  return target === known ? undefined : target;
}

function tooLarge({ settings }: FlushContext, resource: Resource): string | undefined {
  return resource.bytes > settings.maxResponseBytes ? "response_too_large" : undefined;
}

const NONE: ReadonlySet<string> = new Set();
