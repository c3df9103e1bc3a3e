import fc from "fast-check";
import { expect, it } from "vitest";
import { createRegistry } from "../../../src/xds/protocol/resource-types.ts";
import { TypeState } from "../../../src/xds/protocol/type-state.ts";
import { prepareResource } from "../../../src/xds/server/cached-resource.ts";
import { describeType } from "../../../src/xds/server/client-status.ts";

const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f"));

it("a type in short says what its resources say one by one", () => {
  fc.assert(
    fc.property(
      fc.record({ sent: names, due: names, held: names, unknown: names, refused: names, inFlight: names }),
      ({ sent, due, held, unknown, refused, inFlight }) => {
        const state = stateOf();
        const { typeUrl } = state.type;
        const itemsOf = (some: readonly string[]) =>
          new Map(some.map((name) => [name, { ...ITEM, name, resource: resourceOf(typeUrl, name) }]));
        for (const name of sent) state.sent.set(name, resourceOf(typeUrl, name));
        for (const name of due) state.due.set(name, 1);
        for (const name of held) state.held.set(name, { reason: "frozen", publication: 1 });
        for (const name of unknown) state.unknown.add(name);
        const refusal = { nonce: "1", code: 3, message: "no", at: 0, since: 0, attempt: 1, items: itemsOf(refused) };
        for (const name of refused) state.refused.set(name, refusal);
        state.flights.push({ nonce: "2", sequence: 2, version: "", sentAt: 0, items: itemsOf(inFlight) });

        const status = describeType(state, (at) => at);
        const all = status.resources;
        const expected = new Set([...sent, ...due, ...held, ...unknown, ...inFlight]);
        expect(all.map(({ name }) => name).toSorted()).toEqual([...expected].toSorted());
        expect(status.known).toBe(all.length);
        expect(sorted(status.refused)).toEqual(sorted(all.filter((one) => one.refused !== undefined)));
        expect(sorted(status.held)).toEqual(sorted(all.filter((one) => one.held !== undefined)));
        for (const name of ["a", "b", "c", "d", "e", "f"]) {
          expect(status.resource(name)).toEqual(all.find((one) => one.name === name));
        }
      },
    ),
  );
});

const ITEM = { before: undefined, publication: 1, kept: false } as const;

function stateOf(): TypeState {
  const [type] = createRegistry().ordered;
  if (type === undefined) throw new Error("no types");
  return new TypeState(type);
}

function resourceOf(typeUrl: string, name: string) {
  return prepareResource({ typeUrl, name, body: Buffer.from(name) });
}

function sorted<T extends { readonly name: string }>(some: readonly T[]): readonly T[] {
  return some.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
