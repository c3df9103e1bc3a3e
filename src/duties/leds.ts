import { createHash } from "node:crypto";
import { chooseLeds, LEDS_FROM } from "../domain/leds.ts";
import type { LedsRecord } from "../domain/leds-record.ts";
import type { Name } from "../domain/name.ts";
import { routingState } from "../domain/routing-state.ts";
import type { State } from "../domain/state.ts";
import { memberPaths } from "../resources/leds.ts";

/** A proxy that asks for a collection is told of names that left it: at most a quarter of its size, within these bounds. */
const MIN_DEPARTED = 1000;
const MAX_DEPARTED = 5000;

export type LedsPlan =
  | { readonly change: "none" }
  | { readonly change: "delete" }
  | { readonly change: "put"; readonly record: LedsRecord; readonly members: ReadonlySet<string> };

/**
 * What the LEDS duty has to do for one service: switch it on or off, note members that left, and begin a new generation
 * if too many have left or nobody knows which.
 *
 * @param membersAt The members that a digest stands for, if they are known.
 * @param now By the store's clock.
 */
export function planLeds(
  state: State,
  name: Name,
  at: {
    readonly now: number;
    readonly epoch: number;
    readonly membersAt: (digest: string) => ReadonlySet<string> | undefined;
    /** Members that may have existed since the record was written, even for a moment. */
    readonly seen?: Iterable<string>;
  },
): LedsPlan {
  const record = state.record("leds", name);
  const service = state.get("service", name);
  const off: LedsPlan = record === undefined ? { change: "none" } : { change: "delete" };
  if (service === undefined) return off;
  if (record === undefined && service.endpointDiscovery !== "LEDS" && isSmall(state, name)) return off;
  const routing = routingState(state, name);
  if (!chooseLeds(service, routing, record !== undefined).on) return off;

  const members = memberPaths(routing);
  const digest = digestOf(members);
  const begin: LedsPlan = {
    change: "put",
    record: { generation: generationAt(at.now, record), epoch: at.epoch, digest, departed: [] },
    members,
  };
  if (record === undefined || record.epoch !== at.epoch) return begin;
  const before = record.digest === digest ? members : at.membersAt(record.digest);
  if (before === undefined) return begin;
  const left = new Set([...record.departed, ...before, ...(at.seen ?? [])]);
  const departed = [...left].filter((path) => !members.has(path));
  const isSame = departed.length === record.departed.length && departed.every((path, i) => path === record.departed[i]);
  if (record.digest === digest && isSame) return { change: "none" };
  if (departed.length > Math.min(Math.max(members.size / 4, MIN_DEPARTED), MAX_DEPARTED)) return begin;
  return { change: "put", record: { ...record, digest, departed }, members };
}

/** The digest of a set of members, whatever their order. */
export function digestOf(members: ReadonlySet<string>): string {
  const hash = createHash("sha256");
  for (const path of [...members].sort()) hash.update(path).update("\0");
  return hash.digest("hex").slice(0, 32);
}

function isSmall(state: State, service: Name): boolean {
  let count = 0;
  for (const _ of state.backendsOf(service)) count += 1;
  return count < LEDS_FROM;
}

/** The time, moved on if the clock has not: no generation of a service is ever used again. */
function generationAt(now: number, before: LedsRecord | undefined): string {
  const last = before === undefined ? 0 : Number.parseInt(before.generation, 36);
  return Math.max(Math.floor(now), last + 1).toString(36);
}
