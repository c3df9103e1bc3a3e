import type { Mirror } from "../../control/mirror.ts";
import { type Conditions, conditionsOf } from "../../domain/conditions.ts";
import { effectiveHealth } from "../../domain/eligibility.ts";
import { fleetsByService, leftOutByFleet } from "../../domain/fleet-backends.ts";
import { isPart, type Kind, type Name, serviceOfObject } from "../../domain/name.ts";
import type { State } from "../../domain/state.ts";
import type { Context } from "../context.ts";
import { conditionsOfBackends } from "./current-conditions.ts";
import type { Onset } from "./onsets.ts";

/** Changes within this time are looked at together. */
const LOOK_MS = 1_000;

/** Subjects and things of `Onsets`, as both those who record and those who ask name them. */
export const DOWN = "down";
const OBJECTS = "objects";

export function ofService(service: Name): string {
  return `service ${service}`;
}

/** The subject of an object's condition: conditions of backends are looked at with their service's. */
export function ofCondition(kind: Kind, name: Name): string {
  const service = isPart(kind) ? serviceOfObject(kind, name) : undefined;
  return service === undefined ? OBJECTS : ofService(service);
}

export function conditionKey(id: string, { reason, message }: { reason: string; message: string }): string {
  return `${id} ${reason} ${message}`;
}

export function leftOutKey(fleet: Name): string {
  return `left out by ${fleet}`;
}

/** For a backend whose address another one has too. */
export function duplicateKey(backend: Name): string {
  return `duplicate ${backend}`;
}

/**
 * Looks at what the state means for people soon after it changes, only where it changed, and records what began. The
 * returned function ends the watch.
 */
export function watchOnsets({
  mirror,
  conditions,
  onsets,
  clock,
  pace,
}: Pick<Context, "mirror" | "conditions" | "onsets" | "clock" | "pace">): () => void {
  let isLooking = false;
  let isStopped = false;
  /** Services that changed, or whose backends or verdicts did; and whether anything else changed. */
  let touched = new Set<Name>(allServices(mirror));
  let isConfigured = true;
  let began: Onset = { since: clock.now(), atLeast: true };

  const look = async () => {
    isLooking = true;
    const [services, onset] = [isConfigured ? allServices(mirror) : [...touched], began];
    if (isConfigured) onsets.see(OBJECTS, conditionKeys(conditions.ofOthers()), onset);
    touched = new Set();
    isConfigured = false;
    const fleets = fleetsByService(mirror);
    for (const service of services) {
      await pace.breathe();
      if (isStopped) return;
      onsets.see(ofService(service), serviceKeys(mirror, service, fleets), onset);
    }
    isLooking = false;
    if (isConfigured || touched.size > 0) cancel = clock.after(LOOK_MS, () => void look());
  };
  let cancel = () => {};
  void look();
  const stopListening = mirror.onFold(({ changed }) => {
    if (changed.length === 0) return;
    if (!isConfigured && touched.size === 0) {
      began = { since: clock.now(), atLeast: false };
      if (!isLooking) cancel = clock.after(LOOK_MS, () => void look());
    }
    for (const { kind, name } of changed) {
      const service = isPart(kind) ? serviceOfObject(kind, name) : undefined;
      if (service === undefined) isConfigured = true;
      else touched.add(service);
    }
  });
  return () => {
    isStopped = true;
    cancel();
    stopListening();
  };
}

function allServices(state: State): Name[] {
  return Array.from(state.all("service"), ({ name }) => name);
}

function* conditionKeys(all: Conditions): Iterable<string> {
  for (const [id, conditions] of all) for (const condition of conditions) yield conditionKey(id, condition);
}

function* serviceKeys(mirror: Mirror, service: Name, fleets: ReturnType<typeof fleetsByService>): Iterable<string> {
  if (!isServed(mirror, service)) yield DOWN;
  const ofBackends = conditionsOfBackends(mirror, service);
  yield* conditionKeys(ofBackends);
  for (const { name } of mirror.backendsOf(service)) {
    const own = conditionsOf(ofBackends, "backend", name);
    if (own.some(({ reason }) => reason === "DuplicateAddress")) yield duplicateKey(name);
  }
  for (const fleet of leftOutByFleet(mirror, service, fleets).keys()) yield leftOutKey(fleet);
}

/** Whether any backend serves. Looks no further than the first that does. */
function isServed(state: State, service: Name): boolean {
  const check = state.get("service", service)?.healthCheck;
  for (const backend of state.backendsOf(service)) {
    if (backend.state === "DRAINING") continue;
    const { status } = effectiveHealth(backend, state.healthOf(backend.name), check);
    if (status !== "UNHEALTHY" && status !== "PENDING") return true;
  }
  return false;
}
