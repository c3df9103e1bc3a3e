import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Mirror } from "../../../src/control/mirror.ts";
import { Withheld } from "../../../src/control/withheld.ts";
import { type Kind, parseStoreKey, storeKey } from "../../../src/domain/name.ts";
import { StoredRefusals } from "../../../src/fleet/stored-refusals.ts";
import { BackendSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { setAsideFindings } from "../../../src/operations/observing/set-aside-findings.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { encodeStored } from "../../../src/schema/stored-object.ts";
import type { Change, WatchEvent } from "../../../src/store/state-store.ts";
import { CLUSTER_TYPE } from "../../../src/xds/protocol/resource-types.ts";
import { STRANGE_KEYS } from "../../support/strange-records.ts";

const meta = { uid: "u", generation: 1n };
const good: readonly [Kind, string, Uint8Array][] = [
  ["service", "pay", encodeStored("service", create(ServiceSchema, { name: "pay", meta }))],
  [
    "backend",
    "pay/p1",
    encodeStored(
      "backend",
      create(BackendSchema, { name: "pay/p1", meta, target: { case: "address", value: "127.0.0.1:9001" } }),
    ),
  ],
];
const goodChanges: readonly Change[] = good.map(([kind, name, value]) => {
  return { key: storeKey(kind, name), value, revision: { epoch: 1, position: 1 } };
});
const goodKeys = new Set(goodChanges.map(({ key }) => key));

const key = fc
  .oneof(
    fc.constantFrom(...STRANGE_KEYS),
    fc.string({ unit: "binary" }),
    fc.string().map((id) => `projects/default/routes/${id}`),
  )
  .filter((one) => !goodKeys.has(one));
const value = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.constantFrom(...good.map(([, , bytes]) => bytes)),
  fc.json().map((text) => new TextEncoder().encode(text)),
);
const records = fc.uniqueArray(fc.record({ key, value }), { selector: (one) => one.key, maxLength: 20 });

function folds() {
  const mirror = new Mirror();
  const refusals = new StoredRefusals({
    store: { commit: () => Promise.reject(new Error("never")), now: () => 0 },
    clock: systemClock,
    log: silentLogger,
    replica: "plane-a",
  });
  return { mirror, fold: (event: WatchEvent) => [refusals, mirror].map((each) => each.fold(event)) };
}

function isWhole(mirror: Mirror): void {
  for (const [kind, name] of good) expect(mirror.get(kind, name)?.name).toBe(name);
  expect([...mirror.backendsOf("pay")].map(({ name }) => name)).toEqual(["pay/p1"]);
}

describe("whatever lies under whatever key", () => {
  it("ends no reading, changes no other object, and is named where it cannot be read", () => {
    fc.assert(
      fc.property(records, fc.boolean(), (strange, isFound) => {
        const { mirror, fold } = folds();
        const revision = { epoch: 1, position: 9 };
        const changes = strange.map((one) => ({ ...one, revision }));
        const entries = [...goodChanges, ...(isFound ? changes : [])] as (Change & { value: Uint8Array })[];
        fold({ kind: "state", revision, synced: true, entries });
        if (!isFound) fold({ kind: "commit", revision, at: 0, changes });
        isWhole(mirror);
        for (const { key } of strange) {
          const id = parseStoreKey(key);
          const isThere = id !== undefined && mirror.get(id.kind, id.name) !== undefined;
          const isKnown = /^(refusals|assign|leds|system)\//.test(key);
          expect(isThere || isKnown || mirror.setAside.has(key)).toBe(true);
        }
        expect(setAsideFindings(mirror.setAside.values()).length).toBeLessThanOrEqual(21);
        fold({
          kind: "commit",
          revision,
          at: 0,
          changes: strange.map(({ key }) => ({ key, value: undefined, revision })),
        });
        isWhole(mirror);
        expect([...mirror.setAside.keys()]).toEqual([]);
      }),
    );
  });

  it("keeps nothing back that has nothing to do with it, unless it is of a kind that only a later release knows", () => {
    fc.assert(
      fc.property(records, (strange) => {
        const { mirror, fold } = folds();
        const revision = { epoch: 1, position: 9 };
        fold({
          kind: "state",
          revision,
          synced: true,
          entries: [...goodChanges, ...strange.map((one) => ({ ...one, revision }))] as never,
        });
        const held = new Withheld(mirror).hold(
          { group: "edge", variant: "delta", mayHold: () => true },
          { typeUrl: CLUSTER_TYPE, name: "pay" },
          "v",
        );
        const isAboutAll = [...mirror.setAside.values()].some(({ dependents }) => dependents.of === "everything");
        expect(held !== undefined).toBe(isAboutAll);
      }),
    );
  });
});
