import type { LedsRecord } from "../../src/domain/leds-record.ts";
import { type Kind, type Name, serviceOf } from "../../src/domain/name.ts";
import { isLinked } from "../../src/domain/references.ts";
import type { ObjectOf, RecordKind, RecordOf, State } from "../../src/domain/state.ts";
import { manifestKind, messageFromJson } from "../../src/schema/object-json.ts";
import { parseInPlace } from "../../src/schema/parse-object.ts";

type AnyObject = { [K in Kind]: readonly [kind: K, object: ObjectOf[K]] }[Kind];

/** A state that holds these objects, in their order, and what a duty has committed of LEDS. */
export function stateOf(objects: Iterable<AnyObject>, leds: ReadonlyMap<Name, LedsRecord> = new Map()): State {
  const kinds = new Map<Kind, Map<Name, ObjectOf[Kind]>>();
  for (const [kind, object] of objects) {
    const known = kinds.get(kind) ?? new Map<Name, ObjectOf[Kind]>();
    kinds.set(kind, known.set(object.name, object));
  }
  const all = <K extends Kind>(kind: K): ObjectOf[K][] => [...(kinds.get(kind)?.values() ?? [])] as ObjectOf[K][];
  return {
    get: <K extends Kind>(kind: K, name: Name) => kinds.get(kind)?.get(name) as ObjectOf[K] | undefined,
    all,
    referring: (kind, to, name) => all(kind).filter((object) => isLinked(kind, object, to, name)),
    backendsOf: (service) => all("backend").filter(({ name }) => serviceOf(name) === service),
    record: <K extends RecordKind>(kind: K, name: Name) =>
      (kind === "leds" ? leds.get(name) : undefined) as RecordOf[K] | undefined,
    planeAddresses: [],
    healthOf: (backend) => all("health").filter((health) => health.backend === backend),
  };
}

/** Reads manifests as what is stored of them; `kind: Health` and `meta` are read as well. */
export function objectsOf(manifests: readonly ({ kind: string } & Record<string, unknown>)[]): AnyObject[] {
  return manifests.map(({ kind: word, ...json }) => {
    const named = word === "Health" ? ({ ok: true, kind: "health" } as const) : manifestKind(word);
    if (!named.ok) throw new Error(named.message);
    const read = messageFromJson(named.kind, json);
    if (!read.ok) throw new Error(JSON.stringify(read.violations));
    const parsed = parseInPlace(named.kind, read.message, "store");
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.violations));
    return [named.kind, parsed.object] as unknown as AnyObject;
  });
}
