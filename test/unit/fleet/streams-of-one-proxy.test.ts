import { describe, expect, it } from "vitest";
import { mergeNodes, mergeProgress } from "../../../src/fleet/merge-nodes.ts";
import type { Progress, ToldNode, ToldType } from "../../../src/fleet/node-directory.ts";

/** No hot restart lasts that long. */
const LATER = 3_600_000;

const told = (named: readonly string[], asked: readonly string[]): Progress => ({
  state: "done",
  collections: { named, asked },
});

describe("progress of a proxy with streams for collections", () => {
  it("is done when it asks for all collections that it was told of, on whichever replica", () => {
    expect(mergeProgress([told(["a", "b"], ["a"]), told([], ["b"])])).toEqual({ state: "done" });
    expect(mergeProgress([{ state: "done" }])).toEqual({ state: "done" });
  });

  it("is not done while it has not asked for one, nor while it asks for one that it is no more told of", () => {
    expect(mergeProgress([told(["a", "b"], ["a"])])).toEqual({ state: "sent", message: "it has not asked for b yet" });
    expect(mergeProgress([told(["b"], ["b", "a"])])).toEqual({ state: "sent", message: "it still asks for a" });
    // Its main stream is not back yet.
    expect(mergeProgress([told([], ["a"])])).toMatchObject({ state: "sent" });
  });

  it("is what the worst of its streams is", () => {
    expect(mergeProgress([told(["a"], ["a"]), { state: "held", message: "x" }])).toMatchObject({ state: "held" });
  });
});

describe("the list of proxies", () => {
  const type = (shortName: string, state: ToldType["state"]): ToldType => {
    return { typeUrl: shortName, shortName, state, known: 2, resources: [], refusals: [], refused: 0, missing: [] };
  };
  const node = (more: Partial<ToldNode>): ToldNode => ({
    id: "edge-1",
    cluster: "edge",
    fleet: "edge",
    silent: undefined,
    client: "envoy",
    envoyVersion: "1.40.0",
    variant: "delta",
    connected: true,
    since: 1,
    peer: "127.0.0.1:1",
    replica: "a",
    duplicate: false,
    types: [],
    lagMs: 0,
    settled: { epoch: 1, position: 9 },
    ...more,
  });

  it("shows the streams of one proxy as one, also over several replicas, with the worst of what they say", () => {
    const main = node({ types: [type("CDS", "acked"), type("EDS", "acked")] });
    const first = node({ since: 2, types: [type("LEDS", "acked")] });
    const second = node({
      since: 3,
      replica: "b",
      types: [type("LEDS", "sent")],
      lagMs: 40,
      settled: { epoch: 1, position: 7 },
    });
    expect(mergeNodes([first, second, main], LATER)).toEqual([
      {
        ...main,
        types: [...main.types, { ...type("LEDS", "sent"), known: 4 }],
        lagMs: 40,
        settled: { epoch: 1, position: 7 },
      },
    ]);
  });

  it("leaves proxies apart that share an id", () => {
    const twice = [node({ duplicate: true }), node({ duplicate: true, since: 2 })];
    expect(mergeNodes(twice, LATER)).toEqual(twice);
  });

  it("knows them by the streams of which each has one, also where no more than the place is told", () => {
    const ads = { sole: "DeltaAggregatedResources" };
    const leds = node({ since: 3 });
    const found = mergeNodes([node(ads), node({ ...ads, since: 2, replica: "b" }), leds], LATER);
    expect(found.map(({ duplicate, since }) => [duplicate, since])).toEqual([
      [true, 1],
      [true, 2],
      [false, 3],
    ]);
    expect(mergeNodes([node(ads), leds], LATER).map(({ duplicate }) => duplicate)).toEqual([false]);
  });

  it("shows only the new process of a hot restart, which has the machine of the old one, and no other pair like that", () => {
    const ads = { sole: "DeltaAggregatedResources", duplicate: true };
    const old = node(ads);
    const young = node({ ...ads, since: 5_000, peer: "127.0.0.1:2" });
    expect(mergeNodes([old, young], 10_000)).toEqual([{ ...young, duplicate: false }]);
    expect(mergeNodes([old, young], 40_000)).toHaveLength(2);
    expect(mergeNodes([old, { ...young, peer: "127.0.0.2:2" }], 10_000)).toHaveLength(2);
    expect(mergeNodes([old, { ...young, sole: "StreamAggregatedResources" }], 10_000)).toHaveLength(2);
  });
});
