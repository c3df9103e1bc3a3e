import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from "../../../src/xds/protocol/resource-types.ts";
import { type Move, type ServiceState, Simulation } from "./simulation.ts";

/** More of them on demand: the laws do not become cheaper by being tried less. */
const RUNS = Number(process.env["FAIRLEAD_PROPERTY_RUNS"] ?? 300);
const NAMES = ["a", "b", "c"];
const VARIANTS = ["delta", "sotw", "delta", "sotw"] as const;
const TYPES = [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE];

const good = fc.constantFrom("1", "2", "3");
const content = fc.oneof({ weight: 6, arbitrary: good }, { weight: 1, arbitrary: fc.constant("bad1") });
const service = (of: fc.Arbitrary<string>): fc.Arbitrary<ServiceState> =>
  fc.record({
    name: fc.constantFrom(...NAMES),
    present: fc.boolean(),
    cluster: of,
    endpoints: of,
    route: of,
    routeTo: fc.constantFrom(...NAMES),
  });
const client = fc.nat(VARIANTS.length - 1);
const count = fc.integer({ min: 1, max: 4 });
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("publish"),
      services: fc.array(service(content), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("read"), client, count }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("serve"), client, count }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reconnect"), client }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("hold"),
      typeUrl: fc.constantFrom(...TYPES),
      name: fc.constantFrom(...NAMES),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "free" } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass"), ms: fc.constantFrom(100, 1000, 16_000) }) },
);
const moves = fc.array(move, { maxLength: 60 });
/** Ends with content that nobody refuses. */
const ending = fc.tuple(...NAMES.map((name) => service(good).map((state) => ({ ...state, name, routeTo: name }))));
const seed = fc.integer();

/** The server never hears that a response was refused, though a part of it was applied: the stream ends before. */
const LOST_REFUSAL: readonly Move[] = [
  {
    kind: "publish",
    services: [
      { name: "a", present: true, cluster: "bad1", endpoints: "1", route: "1", routeTo: "a" },
      { name: "b", present: true, cluster: "1", endpoints: "bad1", route: "1", routeTo: "a" },
    ],
  },
  { kind: "serve", client: 2, count: 1 },
  { kind: "read", client: 2, count: 1 },
  { kind: "reconnect", client: 2 },
];
const NOTHING_LEFT = NAMES.map((name) => {
  return { name, present: false, cluster: "1", endpoints: "1", route: "1", routeTo: name };
});

function play(played: readonly Move[], randomSeed: number): Simulation {
  const simulation = new Simulation(VARIANTS, seeded(randomSeed));
  for (const each of played) simulation.play(each);
  return simulation;
}

describe("a fleet with Envoy's habits", () => {
  it("xds C13, C14: converges, whatever happened, to just what each client is entitled to, and no response names a resource twice", () => {
    fc.assert(
      fc.property(moves, ending, seed, (played, services, randomSeed) => {
        const simulation = play([...played, { kind: "free" }, { kind: "publish", services }], randomSeed);
        simulation.settle();
        const wanted = describeCache(simulation);
        for (const { client: envoy, stream } of simulation.connections) {
          expect(contentsOf(envoy.has.bind(envoy))).toEqual(wanted);
          expect(envoy.violations).toEqual([]);
          expect([...envoy.warming]).toEqual([]);
          expect(stream?.oldestPending()).toBeUndefined();
        }
      }),
      { numRuns: RUNS, examples: [[[...LOST_REFUSAL], NOTHING_LEFT, 0]] },
    );
  });

  it("xds R1, R2: never has a route that leads nowhere, as long as no publication holds one", () => {
    const presence = fc.subarray(NAMES, { minLength: 1 });
    const world = presence.chain((present) =>
      fc.tuple(
        ...NAMES.map((name) =>
          fc
            .record({ cluster: good, endpoints: good, route: good, routeTo: fc.constantFrom(...present) })
            .map((state) => ({ ...state, name, present: present.includes(name) })),
        ),
      ),
    );
    const publication = fc.record({ kind: fc.constant("publish"), services: world });
    const exchange = fc.record({ kind: fc.constantFrom("read", "serve"), client: fc.nat(1), count });
    const reconnect = fc.record({ kind: fc.constant("reconnect"), client: fc.constant(0) });
    const pass = fc.record({ kind: fc.constant("pass"), ms: fc.constant(10) });
    const step: fc.Arbitrary<Move> = fc.oneof(
      { weight: 2, arbitrary: publication },
      { weight: 12, arbitrary: exchange },
      { weight: 1, arbitrary: reconnect },
      { weight: 1, arbitrary: pass },
    );
    fc.assert(
      fc.property(publication, fc.array(step, { maxLength: 60 }), seed, (first, played, randomSeed) => {
        const simulation = new Simulation(["delta", "sotw"], seeded(randomSeed), { checksRoutes: true });
        simulation.play(first);
        simulation.settle();
        for (const each of played) simulation.play(each);
        simulation.settle();
        const wanted = describeCache(simulation);
        for (const { client: envoy } of simulation.connections) {
          expect(envoy.violations).toEqual([]);
          expect(contentsOf(envoy.has.bind(envoy))).toEqual(wanted);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("comes to rest with what is refused, too, which is in the end only what no client takes", () => {
    fc.assert(
      fc.property(moves, seed, (played, randomSeed) => {
        const simulation = play([...played, { kind: "free" }], randomSeed);
        simulation.settle();
        // A part that waits may be refused late, and what is good in it with it.
        for (let i = 0; i < 5 && goodRefused(simulation).length > 0; i++) simulation.settle();
        expect(goodRefused(simulation)).toEqual([]);
        for (const { client: envoy } of simulation.connections) expect(envoy.violations).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});

/** What counts as refused though any client would take it. Over SotW clusters and listeners cannot go in parts. */
function goodRefused({ connections, cache }: Simulation): string[] {
  return connections.flatMap(({ client, stream }) =>
    [...(stream?.states.values() ?? [])].flatMap(({ type, refused }) => {
      if (client.variant === "sotw" && type.fullSet) return [];
      const versions = Array.from(refused.keys(), (name) => cache.get("g", type.typeUrl, name)?.version ?? "bad");
      return versions.filter((version) => !version.startsWith("bad"));
    }),
  );
}

/** What the cache would give to a client that follows references: written without the engine's own notions. */
function describeCache({ cache }: Simulation): Record<string, Record<string, string>> {
  return contentsOf((typeUrl) => new Map(cache.list("g", typeUrl).map((each) => [each.name, each])));
}

function contentsOf(
  has: (typeUrl: string) => ReadonlyMap<string, { version: string }>,
): Record<string, Record<string, string>> {
  return Object.fromEntries(
    TYPES.map((typeUrl) => {
      const entries = [...has(typeUrl)].map(([name, { version }]) => [name, version] as const);
      return [typeUrl, Object.fromEntries(entries.toSorted(([a], [b]) => a.localeCompare(b)))];
    }),
  );
}

/** A small generator, so that a seed replays a failure. */
function seeded(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
