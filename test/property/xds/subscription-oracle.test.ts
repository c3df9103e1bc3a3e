import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Subscription } from "../../../src/xds/protocol/subscription.ts";

const name = fc.constantFrom("*", "a", "b", "c");
const list = fc.array(name, { maxLength: 3 });

/** Written from the text of the specification over the whole history, without state. */
function sotwOracle(history: readonly (readonly string[])[]): { wildcard: boolean; names: string[] } {
  const last = history.at(-1) ?? [];
  const everNamed = history.some((names) => names.length > 0);
  const names = [...new Set(last)].filter((each) => each !== "*").toSorted();
  return { wildcard: last.includes("*") || (history.length > 0 && !everNamed), names };
}

type Change = { readonly subscribe: readonly string[]; readonly unsubscribe: readonly string[] };

/** For each name, the last request that mentions it decides; subscribing wins within one request. */
function deltaOracle(history: readonly Change[]): { wildcard: boolean; names: string[] } {
  const wanted = (each: string): boolean => {
    const last = history.findLast(({ subscribe, unsubscribe }) => [...subscribe, ...unsubscribe].includes(each));
    if (last) return last.subscribe.includes(each);
    return each === "*" && history[0]?.subscribe.length === 0;
  };
  return { wildcard: wanted("*"), names: ["a", "b", "c"].filter(wanted) };
}

it("xds W1-W6 (SotW): any history of requests leaves the subscription that the whole history implies", () => {
  fc.assert(
    fc.property(fc.array(list), (history) => {
      const subscription = new Subscription({ legacyWildcard: true });
      for (const names of history) subscription.replace(names);
      const { wildcard, names } = subscription;
      expect({ wildcard, names: [...names].toSorted() }).toEqual(sotwOracle(history));
    }),
  );
});

it("xds W1-W6 (delta): any history of requests leaves the subscription that the whole history implies", () => {
  const change = fc.record({ subscribe: list, unsubscribe: list });
  fc.assert(
    fc.property(fc.array(change), (history) => {
      const subscription = new Subscription({ legacyWildcard: true });
      for (const { subscribe, unsubscribe } of history) subscription.change(subscribe, unsubscribe);
      const { wildcard, names } = subscription;
      expect({ wildcard, names: [...names].toSorted() }).toEqual(deltaOracle(history));
    }),
  );
});
