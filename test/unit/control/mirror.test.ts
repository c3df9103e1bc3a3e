import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type Fold, Mirror } from "../../../src/control/mirror.ts";
import { type Kind, storeKey } from "../../../src/domain/name.ts";
import { BackendSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { encodeStored } from "../../../src/schema/stored-object.ts";

const at = (position: number) => ({ epoch: 1, position });
const meta = { uid: "u", generation: 1n };

const shop = encodeStored("service", create(ServiceSchema, { name: "shop", meta }));
const shop1 = encodeStored(
  "backend",
  create(BackendSchema, { name: "shop/shop-1", meta, target: { case: "address", value: "127.0.0.1:9001" } }),
);

function commit(position: number, ...changes: [Kind, string, Uint8Array | undefined][]) {
  return {
    kind: "commit" as const,
    revision: at(position),
    at: 0,
    changes: changes.map(([kind, name, value]) => ({ key: storeKey(kind, name), value, revision: at(position) })),
  };
}

function state(position: number, ...entries: [Kind, string, Uint8Array][]) {
  return {
    kind: "state" as const,
    revision: at(position),
    synced: true,
    entries: entries.map(([kind, name, value]) => ({ key: storeKey(kind, name), value, revision: at(position) })),
  };
}

describe("Mirror", () => {
  it("holds what the log says, and the members of each service", () => {
    const mirror = new Mirror();
    mirror.fold(state(3, ["service", "shop", shop]));
    mirror.fold(commit(4, ["backend", "shop/shop-1", shop1]));
    expect(mirror.get("service", "shop")?.meta.version).toBe("1.3");
    expect([...mirror.backendsOf("shop")].map(({ name }) => name)).toEqual(["shop/shop-1"]);
    mirror.fold(commit(5, ["backend", "shop/shop-1", undefined]));
    expect([...mirror.backendsOf("shop")]).toEqual([]);
    expect(mirror.revision).toEqual(at(5));
  });

  it("drops what is not in a state that is read again", () => {
    const mirror = new Mirror();
    mirror.fold(state(3, ["service", "shop", shop], ["backend", "shop/shop-1", shop1]));
    const folds: Fold[] = [];
    mirror.onFold((fold) => folds.push(fold));
    mirror.fold(state(9, ["service", "shop", shop]));
    expect(mirror.get("backend", "shop/shop-1")).toBeUndefined();
    expect(folds[0]?.changed).toContainEqual(expect.objectContaining({ kind: "backend", name: "shop/shop-1" }));
  });

  it("shows nothing of a state that is read again before it has all of it", () => {
    const mirror = new Mirror();
    mirror.fold(state(3, ["service", "shop", shop]));
    mirror.fold({ ...state(9, ["backend", "shop/shop-1", shop1]), synced: false });
    expect(mirror.get("backend", "shop/shop-1")).toBeUndefined();
    expect([...mirror.backendsOf("shop")]).toEqual([]);
    mirror.fold(state(9));
    expect(mirror.get("service", "shop")).toBeUndefined();
    expect([...mirror.backendsOf("shop")].map(({ name }) => name)).toEqual(["shop/shop-1"]);
  });

  it("keeps the last good content of an object that cannot be read, and names it", () => {
    const mirror = new Mirror();
    mirror.fold(state(3, ["service", "shop", shop]));
    mirror.fold(commit(4, ["service", "shop", Uint8Array.of(255)]));
    expect(mirror.get("service", "shop")?.meta.version).toBe("1.3");
    expect([...mirror.setAside.values()]).toMatchObject([{ isNewer: false, withheld: "nothing", isUsed: false }]);
    mirror.fold(commit(5, ["service", "shop", shop]));
    expect(mirror.setAside.size).toBe(0);
  });

  it("lets those who wait for a revision go on once it is folded", async () => {
    const mirror = new Mirror();
    const reached = mirror.reach(at(4)).then(() => mirror.revision);
    mirror.fold(state(3));
    mirror.fold(commit(4));
    expect(await reached).toEqual(at(4));
    const given = new AbortController();
    const waiting = mirror.reach(at(9), given.signal);
    given.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });

  it("names keys of another purpose, and goes on", () => {
    const mirror = new Mirror();
    mirror.fold(state(1));
    const tick = { key: "ticks/plane-a", value: new Uint8Array(), revision: at(2) };
    mirror.fold({ kind: "commit", revision: at(2), at: 0, changes: [tick] });
    expect(mirror.revision).toEqual(at(2));
    expect([...mirror.setAside.keys()]).toEqual(["ticks/plane-a"]);
  });
});
