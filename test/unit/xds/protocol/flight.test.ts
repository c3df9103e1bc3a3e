import { describe, expect, it } from "vitest";
import { type FlightItem, type Refusal, repeatedFrom } from "../../../../src/xds/protocol/flight.ts";
import { retryDelay } from "../../../../src/xds/protocol/retries.ts";
import { SparseMap } from "../../../../src/xds/protocol/sparse.ts";
import { prepareResource } from "../../../../src/xds/server/cached-resource.ts";

const item = (name: string, content: string, publication: number): FlightItem => {
  const resource = prepareResource({ typeUrl: "t", name, body: Buffer.from(content) });
  return { name, resource, before: undefined, publication, kept: false };
};
const flight = (...items: readonly FlightItem[]) => ({ items: new Map(items.map((each) => [each.name, each])) });

function refuse(standing: SparseMap<Refusal>, items: readonly FlightItem[], at: number): Refusal {
  const refusal = { nonce: "", code: 13, message: "no", at, ...repeatedFrom(standing, flight(...items), at) };
  for (const name of refusal.items.keys()) standing.set(name, refusal);
  return refusal;
}

describe("a refusal of what was refused before", () => {
  it("has the time and the publication of the first, which is no news to whoever waits for a later one", () => {
    const standing = new SparseMap<Refusal>();
    refuse(standing, [item("a", "1", 7)], 100);
    const again = refuse(standing, [item("a", "1", Infinity)], 200);
    expect(again).toMatchObject({ attempt: 2, since: 100, at: 200 });
    expect(again.items.get("a")?.publication).toBe(7);
    expect(refuse(standing, [item("a", "1", Infinity)], 300)).toMatchObject({ attempt: 3, since: 100 });
  });

  it("begins anew with other content, and with a part of what was refused together", () => {
    const standing = new SparseMap<Refusal>();
    refuse(standing, [item("a", "1", 7), item("b", "1", 7)], 100);
    expect(refuse(standing, [item("a", "1", Infinity)], 200)).toMatchObject({ attempt: 1, since: 100 });
    const changed = refuse(standing, [item("a", "2", 9)], 300);
    expect(changed).toMatchObject({ attempt: 1, since: 300 });
    expect(changed.items.get("a")?.publication).toBe(9);
  });

  it("is tried again after twice as long each time, up to a bound, and spread over half as much again", () => {
    const retry = { baseMs: 1000, maxMs: 300_000, spread: 0 };
    const delays = [1, 2, 3, 9, 10, 1000].map((attempt) => retryDelay(retry, attempt));
    expect(delays).toEqual([1000, 2000, 4000, 256_000, 300_000, 300_000]);
    expect(retryDelay({ ...retry, spread: 1 }, 1)).toBe(1500);
  });
});
