import { orderByAddress } from "./addresses.ts";
import type { Report } from "./events.ts";
import { causeOf, type Gate, type Referrers, referrersOf, upsertGate, waitOf } from "./gates.ts";
import type { Resource, ResourceKey, View } from "./resource.ts";
import type { Registry } from "./resource-types.ts";
import { SparseMap } from "./sparse.ts";
import { needOf, referredToByClient, targetOf } from "./target.ts";
import type { Leaving, TypePlan, Wait } from "./type-plan.ts";
import type { TypeReading, TypeReadings } from "./type-state.ts";

/** Why something must be kept back from this client, or undefined. `version` is empty for a removal. */
export type Hold = (resource: ResourceKey, version: string) => string | undefined;

/** Everything that one flush bases its decisions on. */
export type FlushContext = {
  readonly registry: Registry;
  readonly variant: "sotw" | "delta";
  readonly states: TypeReadings;
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
  /** How long after its first request of a type a resumed client may still be expected to ask for more types. */
  readonly settleMs: number;
};

/** A plan in the making. */
type Draft = { -readonly [Part in keyof TypePlan]: TypePlan[Part] };

/** Sorts what is due of one type into what goes now and what is kept back, asking the holds and the references. */
export function planType(context: FlushContext, state: TypeReading, only?: Pick<ReadonlySet<string>, "has">): TypePlan {
  const { view } = context;
  const draft: Draft = { ...NOTHING };
  const isReferredTo = referredToByClient(context.states, state.type.typeUrl);
  const mayDefer = mayDivide(context, state);
  let removalsDue = NO_NAMES;
  let bytes = 0;
  let gated: Gate | undefined;
  let absent = 0;
  for (const name of state.due.keys()) {
    if (only && !only.has(name)) continue;
    if (mayDefer && isAbsent(state, view, name) && absent++ >= context.maxAbsent) continue;
    const need = needOf(state, view, name, isReferredTo);
    if (need.kind === "nothing") {
      const resource = adopted(state, view, name);
      if (resource) draft.adopted = withOne(draft.adopted, { name, resource });
      draft.settled = withOne(draft.settled, name);
    } else if (need.kind === "remove") {
      removalsDue = withOne(removalsDue, name);
    } else {
      const { resource } = need;
      if (resource.name !== name) {
        const to = resource.name;
        draft.renamed = withOne(draft.renamed, { from: name, to, isSettled: draft.settled.includes(to) });
        continue;
      }
      const reason = context.hold(resource, resource.version) ?? tooLarge(context, resource);
      if (reason !== undefined) {
        keepBack(draft, name, reason);
        continue;
      }
      const gate = upsertGate(context, state, resource);
      if (gate && isWaiting(context, state, draft, { name, gate })) {
        gated ??= gate;
        continue;
      }
      if (!state.type.fullSet && draft.upserts.length > 0 && bytes + resource.bytes > context.maxBytes) continue;
      bytes += resource.bytes;
      draft.upserts = withOne(draft.upserts, resource);
    }
  }
  if (draft.renamed.length > 0) return draft;
  if (removalsDue.length > 0) draft.removals = planRemovals(context, state, draft, { names: removalsDue, gated });
  if (draft.upserts.some(({ addresses }) => addresses.length > 0)) putInOrder(context, state, draft);
  return draft;
}

/** Whether a response may hold only a part of what is due. */
export function mayDivide({ variant }: Pick<FlushContext, "variant">, { type }: TypeReading): boolean {
  return variant === "delta" || !type.fullSet;
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

function isAbsent(state: TypeReading, view: View, name: string): boolean {
  return state.forced.has(name) && view.get(state.type.typeUrl, name) === undefined;
}

/** Puts additions behind those whose addresses they take; they wait for any that would still be there. */
function putInOrder(context: FlushContext, state: TypeReading, draft: Draft): void {
  const { typeUrl } = state.type;
  const { upserts, displaced, waiting } = orderByAddress(state, context.view, draft);
  for (const resource of draft.upserts) {
    const name = waiting.get(resource.name);
    if (name === undefined) continue;
    const gate = { on: { typeUrl, name }, cause: causeOf(state, draft, name) };
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
      keepBack(draft, name, reason);
      return false;
    }
    if (!state.sent.has(name) && !state.unknown.has(name)) return true;
    referrers ??= referrersOf(context, state, draft);
    const settling = state.resumed ? unasked(context, state, draft) : undefined;
    const gate = gated ?? referrers.byName.get(name) ?? referrers.unreadable ?? settling;
    return !(gate && isWaiting(context, state, draft, { name, gate }));
  });
}

/** A referring type that a resumed client has not asked for yet: what it runs may still refer to anything. */
function unasked(context: FlushContext, state: TypeReading, draft: Draft): Gate | undefined {
  const settlesAt = state.requestedAt + context.settleMs;
  if (context.now >= settlesAt) return undefined;
  const type = context.registry.ordered.find(
    ({ typeUrl, waitsFor }) =>
      waitsFor.includes(state.type.typeUrl) &&
      !context.states.get(typeUrl)?.requested &&
      Iterator.from(context.view.list(typeUrl)).some(() => true),
  );
  if (!type) return undefined;
  draft.wakeAt = Math.min(draft.wakeAt, settlesAt);
  return { on: { typeUrl: type.typeUrl, name: "*" }, cause: "progress" };
}

/** Starts or continues a wait; false once its bound is met. */
function isWaiting(
  { now, waitMs }: FlushContext,
  state: TypeReading,
  draft: Draft,
  { name, gate }: { readonly name: string; readonly gate: Gate },
): boolean {
  const known = waitOf(state, draft, name);
  const hasBound = gate.cause === "progress";
  const since = known?.cause === "progress" && hasBound ? known.since : now;
  const waitedMs = now - since;
  const isOver = hasBound && waitedMs >= waitMs;
  const wasLate = known?.late ?? false;
  if (draft.waits.size === 0) draft.waits = new SparseMap();
  (draft.waits as SparseMap<Wait>).set(name, { ...gate, since, late: wasLate || isOver });
  if (hasBound && !isOver) draft.wakeAt = Math.min(draft.wakeAt, since + waitMs);
  if (isOver && !wasLate) {
    const report: Report = { kind: "late", resource: { typeUrl: state.type.typeUrl, name }, on: gate.on, waitedMs };
    draft.reports = withOne(draft.reports, report);
  }
  return !isOver;
}

function keepBack(draft: Draft, name: string, reason: string): void {
  if (draft.held.size === 0) draft.held = new SparseMap();
  (draft.held as SparseMap<string>).set(name, reason);
}

/** The resource behind a name that needs nothing, if more is known of it than before. */
function adopted(state: TypeReading, view: View, name: string): Resource | undefined {
  const known = state.sent.get(name);
  const target = known && targetOf(state, view, name);
  return target === known ? undefined : target;
}

function tooLarge(context: FlushContext, resource: Resource): string | undefined {
  return resource.bytes > context.maxBytes ? "response_too_large" : undefined;
}

/** Adds to a list that starts as a shared empty one. A pushed array reserves room for many, but nearly all of these hold one. */
function withOne<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length === 0) return [item];
  (list as T[]).push(item);
  return list;
}

const NONE: ReadonlySet<string> = new Set();
const NO_NAMES: readonly string[] = [];
const NOTHING: TypePlan = {
  upserts: [],
  removals: NO_NAMES,
  displaced: NO_NAMES,
  settled: NO_NAMES,
  adopted: [],
  renamed: [],
  held: new SparseMap(),
  waits: new SparseMap(),
  reports: [],
  wakeAt: Infinity,
};
