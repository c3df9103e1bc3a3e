import type { Mirror } from "../control/mirror.ts";
import { type Kind, type Name, storeKey } from "../domain/name.ts";
import type { StoreOp } from "../store/state-store.ts";

/** The operations that remove an object with what belongs to it: a backend's verdicts, a service's backends. */
export function planRemoval(mirror: Mirror, kind: Kind, name: Name): StoreOp[] {
  return withParts(mirror, kind, name).flatMap((part) => {
    const stored = mirror.stored(part.kind, part.name);
    if (stored === undefined) return [];
    // A verdict that changes meanwhile is no reason to keep it.
    return [
      { op: "delete", key: storeKey(part.kind, part.name), guard: part.kind === "health" ? "any" : stored.revision },
    ];
  });
}

interface Part {
  readonly kind: Kind;
  readonly name: Name;
}

function withParts(mirror: Mirror, kind: Kind, name: Name): Part[] {
  const itself: Part = { kind, name };
  if (kind === "service") {
    return [
      itself,
      ...Array.from(mirror.backendsOf(name)).flatMap((backend) => withParts(mirror, "backend", backend.name)),
    ];
  }
  if (kind === "backend") {
    return [itself, ...Array.from(mirror.healthOf(name), (health): Part => ({ kind: "health", name: health.name }))];
  }
  return [itself];
}
