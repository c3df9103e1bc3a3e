import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Known } from "../../../src/xds/protocol/resource.ts";
import { SentTable } from "../../../src/xds/protocol/sent-table.ts";
import { SharedTables } from "../../../src/xds/protocol/shared-tables.ts";
import { Subscription } from "../../../src/xds/protocol/subscription.ts";
import { prepareResource } from "../../../src/xds/server/cached-resource.ts";

const TYPE = "type.googleapis.com/example.Thing";

type Move = {
  readonly table: 0 | 1 | 2;
  readonly name: number;
  readonly what: "set" | "presented" | "delete" | "share";
};

const move: fc.Arbitrary<Move> = fc.record({
  table: fc.constantFrom(0, 1, 2),
  name: fc.nat({ max: 60 }),
  what: fc.constantFrom("set", "set", "set", "presented", "delete", "share"),
});

describe("what a stream was sent", () => {
  it("reads as a map of its own, whatever it shares with others", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 400 }), (moves) => {
        const tables = new SharedTables();
        const sent = [new SentTable(), new SentTable(), new SentTable()] as const;
        const model = [new Map<string, Known>(), new Map<string, Known>(), new Map<string, Known>()] as const;
        for (const [step, { table, name: number, what }] of moves.entries()) {
          const name = `thing-${number}`;
          if (what === "share") sent[table].share(tables, TYPE);
          else if (what === "delete") {
            sent[table].delete(name);
            model[table].delete(name);
          } else {
            const known = what === "set" ? thing(name, step % 3) : { version: "seen", hash: undefined };
            sent[table].set(name, known);
            model[table].set(name, known);
          }
        }
        for (const table of [0, 1, 2] as const) {
          expect(sent[table].size).toBe(model[table].size);
          expect([...sent[table].keys()].toSorted()).toEqual([...model[table].keys()].toSorted());
          for (const [name, known] of model[table]) {
            const { version, hash } = sent[table].get(name) ?? {};
            expect({ version, hash }).toEqual({ version: known.version, hash: known.hash });
          }
        }
      }),
    );
  });
});

it("names of one subscription do not change with those of another that shares them", () => {
  const tables = new SharedTables();
  const listed = Array.from({ length: 40 }, (_, index) => `cluster-${index}`);
  const one = new Subscription({ legacyWildcard: true }, tables);
  const two = new Subscription({ legacyWildcard: true }, tables);
  one.change(listed, []);
  two.change(listed, []);
  expect(two.names).toBe(one.names);
  one.change(["another"], ["cluster-0"]);
  expect(one.names).toEqual(new Set([...listed.slice(1), "another"]));
  expect(two.names).toEqual(new Set(listed));
});

function thing(name: string, content: number): Known {
  return prepareResource({ typeUrl: TYPE, name, body: Buffer.from(String(content)) });
}
