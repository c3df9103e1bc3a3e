import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Mirror } from "../../../src/control/mirror.ts";
import { proxyGroup } from "../../../src/control/proxy-group.ts";
import { Publisher, type ResourceSink } from "../../../src/control/publisher.ts";
import { KINDS, type Kind, serviceOf, storeKey } from "../../../src/domain/name.ts";
import { isLinked } from "../../../src/domain/references.ts";
import type { State } from "../../../src/domain/state.ts";
import { type Edits, resourcesOf } from "../../../src/resources/content.ts";
import { derive } from "../../../src/resources/derive.ts";
import type { Resource } from "../../../src/resources/resource.ts";
import { FEATURE_LEVELS, type View } from "../../../src/resources/view.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { encodeStored } from "../../../src/schema/stored-object.ts";
import { RECORDS } from "../../../src/store/keys/records.ts";
import type { ResourceKey } from "../../../src/xds/protocol/resource.ts";
import { type Manifest, manifestsOf } from "../../support/arbitrary-state.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { objectsOf } from "../../support/state-of.ts";

interface Op {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

const SERVICES = ["a", "b", "c", "projects/p/services/d"];

const objects: fc.Arbitrary<Op> = fc
  .tuple(fc.oneof(...KINDS.map(manifestsOf)), fc.integer({ min: 0, max: 3 }))
  .map(([manifest, chance]) => opOf(manifest, chance === 0));
const leds: fc.Arbitrary<Op> = fc
  .tuple(fc.constantFrom(...SERVICES), fc.constantFrom(undefined, "g1", "g2"))
  .map(([service, generation]) => ({
    key: RECORDS.leds.key(service),
    value: generation && RECORDS.leds.encode({ generation, epoch: 1, digest: "", departed: ["0123456789abcdef/gone"] }),
  }));
const planes: fc.Arbitrary<Op> = fc.constantFrom(undefined, "10.0.0.1", "10.0.0.2", "127.0.0.1").map((ip) => ({
  key: RECORDS.plane.key("plane-a"),
  value: ip && RECORDS.plane.encode({ addresses: [{ ip, port: 80 }], at: 0 }),
}));
const profiles: fc.Arbitrary<Op> = fc
  .constantFrom(1, 2)
  .map((profile) => ({ key: RECORDS.profile.key(""), value: RECORDS.profile.encode(profile) }));
const op = fc.oneof(
  { weight: 20, arbitrary: objects },
  { weight: 2, arbitrary: leds },
  { weight: 1, arbitrary: planes },
  { weight: 1, arbitrary: profiles },
);
const commits = fc.array(fc.uniqueArray(op, { minLength: 1, maxLength: 6, selector: ({ key }) => key }), {
  minLength: 1,
  maxLength: 12,
});

test("law 4, accounting: what is published of changes, one after the other, is what follows from the state at once", () => {
  fc.assert(
    fc.property(fc.array(objects, { maxLength: 60 }), commits, (first, later) => {
      const mirror = new Mirror();
      const held = new Held();
      const start = [...new Map(first.map((one) => [one.key, one])).values()];
      const entries = start.flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value, revision: at(1) }]));
      mirror.fold({ kind: "state", entries, revision: at(1), synced: true });
      const publisher = new Publisher({
        mirror,
        sink: held,
        clock: new FakeClock(),
        onFleetsChanged: () => undefined,
        onPublished: () => undefined,
      });
      publisher.start();
      const check = () => {
        expect(held.groups).toEqual(derivedAtOnce(mirror));
        expect(toldOf(mirror, publisher)).toEqual(held.groups);
        expect(held.repeated).toEqual([]);
      };
      check();
      for (const [i, ops] of later.entries()) {
        const revision = at(i + 2);
        mirror.fold({ kind: "commit", revision, at: 0, changes: ops.map((one) => ({ ...one, revision })) });
        check();
      }
    }),
    { numRuns: Number(process.env["FAIRLEAD_PROPERTY_RUNS"] ?? 100) },
  );
});

type Versions = Map<string, string>;

/** What was published, by group and then by type and name. */
class Held implements ResourceSink {
  readonly publication = 0;
  readonly groups = new Map<string, Versions>();
  /** What was handed on although it was there already. */
  readonly repeated: string[] = [];

  update(group: string, { set, deleted }: Edits): number {
    const held = this.groups.get(group) ?? new Map<string, string>();
    this.groups.set(group, held);
    for (const resource of set) {
      const ref = refOf(resource);
      if (held.get(ref) === resource.version) this.repeated.push(ref);
      held.set(ref, resource.version);
    }
    for (const ref of deleted) held.delete(refOf(ref));
    return 0;
  }

  removeGroup(group: string): void {
    this.groups.delete(group);
  }
}

function viewsOf(mirror: Mirror): View[] {
  return [...mirror.all("fleet")].flatMap(({ name }) => FEATURE_LEVELS.map((level) => ({ fleet: name, level })));
}

/** Without any of the mirror's indices. */
function derivedAtOnce(mirror: Mirror): Map<string, Versions> {
  const all = <K extends Kind>(kind: K) => [...mirror.all(kind)];
  const state: State = {
    get: (kind, name) => mirror.get(kind, name),
    all,
    referring: (kind, to, name) => all(kind).filter((object) => isLinked(kind, object, to, name)),
    backendsOf: (service) => all("backend").filter(({ name }) => serviceOf(name) === service),
    healthOf: (backend) => all("health").filter((health) => health.backend === backend),
    record: (kind, name) => mirror.record(kind, name),
    planeAddresses: mirror.planeAddresses,
  };
  return new Map(viewsOf(mirror).map((view) => [proxyGroup(view), versionsOf(resourcesOf(derive(state, view)))]));
}

/** Of what is derived, what the publisher says it has published. */
function toldOf(mirror: Mirror, publisher: Publisher): Map<string, Versions> {
  const told = (view: View) =>
    [...resourcesOf(derive(mirror, view))].flatMap(
      ({ typeUrl, name }) => publisher.resource(proxyGroup(view), typeUrl, name) ?? [],
    );
  return new Map(viewsOf(mirror).map((view) => [proxyGroup(view), versionsOf(told(view))]));
}

function versionsOf(resources: Iterable<Resource>): Versions {
  return new Map(Array.from(resources, (resource) => [refOf(resource), resource.version]));
}

function refOf({ typeUrl, name }: ResourceKey): string {
  return `${typeUrl} ${name}`;
}

function at(position: number) {
  return { epoch: 1, position };
}

function opOf(manifest: Manifest, isDeleted: boolean): Op {
  const [[kind, { name }] = unread(manifest)] = objectsOf([manifest]);
  const { kind: _, ...json } = manifest;
  const read = messageFromJson(kind, json);
  if (!read.ok) return unread(manifest);
  return { key: storeKey(kind, name), value: isDeleted ? undefined : encodeStored(kind, read.message) };
}

function unread(manifest: Manifest): never {
  throw new Error(JSON.stringify(manifest));
}
