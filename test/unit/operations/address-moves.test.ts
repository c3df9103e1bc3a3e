import { describe, expect, it } from "vitest";
import { AddressMove_Way as Way } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { addressMoves } from "../../../src/operations/objects/address-moves.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const WAYS = new Map<number, string>(Object.entries(Way).map(([name, way]) => [way, name]));

/** Each listener on its port of 127.0.0.1. */
function layout(ports: Readonly<Record<string, number>>) {
  const listeners = Object.entries(ports).map(([name, port]) => {
    return { kind: "Listener", name, fleet: "edge", address: `127.0.0.1:${port}` };
  });
  return stateOf(objectsOf([{ kind: "Fleet", name: "edge" }, ...listeners]));
}

const moves = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>) =>
  addressMoves(layout(before), layout(after), "edge")
    .map(({ address, from, to, way }) => `${address} ${from} → ${to}: ${WAYS.get(Number(way))}`)
    .toSorted();

describe("addresses that pass from one listener to another", () => {
  it("go one after the other in a chain, whatever the listeners are called", () => {
    expect(moves({ z1: 10_020, a2: 10_021 }, { z1: 10_022, a2: 10_020 })).toEqual(["127.0.0.1:10020 z1 → a2: IN_TURN"]);
    expect(moves({ a: 1, b: 2, c: 3 }, { a: 2, b: 3, c: 4 })).toEqual([
      "127.0.0.1:2 b → a: IN_TURN",
      "127.0.0.1:3 c → b: IN_TURN",
    ]);
  });

  it("are taken at once from one that is deleted", () => {
    expect(moves({ old: 1 }, { new: 1 })).toEqual(["127.0.0.1:1 old → new: AFTER_DELETION"]);
  });

  it("are free for some milliseconds where the one that is to take it is closed first, once in each round", () => {
    const round = moves({ a: 1, b: 2, c: 3 }, { a: 2, b: 3, c: 1 });
    expect(round).toHaveLength(3);
    expect(round.filter((text) => text.endsWith("CLOSED_FIRST"))).toHaveLength(1);
  });

  it("are none where nobody takes what another one had", () => {
    expect(moves({ a: 1, b: 2 }, { a: 3, b: 2, c: 4 })).toEqual([]);
  });
});
