import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_RECORDED, PROXIES_PER_PART } from "../../../src/duties/plan-presence.ts";
import { MAX_PRESENCE_BYTES, PRESENCE } from "../../../src/store/keys/presence-record.ts";
import { readForm } from "../../../src/store/keys/record-form.ts";
import { PresenceWorld } from "../../support/presence-world.ts";

const names = (count: number) => Array.from({ length: count }, (_, i) => `edge-${i}`);

async function settledWorld(count = 1, ...replicas: readonly string[]) {
  const world = new PresenceWorld(...(replicas.length === 0 ? ["a", "b"] : replicas));
  for (const id of names(count)) world.connect(id, "a");
  await world.pass(12);
  expect(world.ids("here")).toHaveLength(count);
  return world;
}

describe("a proxy that is killed", () => {
  test("is gone after the grace and a second, with what it had, until it is back", async () => {
    const world = await settledWorld();
    world.leave("edge-0");
    await world.pass(4);
    expect(world.ids("gone")).toEqual([]);
    await world.pass(3);
    expect(world.recorded()).toMatchObject([
      { id: "edge-0", state: "gone", replica: "a", last: { types: [{ shortName: "CDS", state: "acked", known: 3 }] } },
    ]);
    world.takeOver();
    await world.pass(120);
    expect(world.ids("gone"), "another plane does the duty").toEqual(["edge-0"]);
    world.connect("edge-0", "b");
    await world.pass(12);
    expect(world.recorded()).toMatchObject([{ id: "edge-0", state: "here", replica: "b" }]);
  });

  test("is forgotten when its fleet says, or with its fleet", async () => {
    const world = await settledWorld(2);
    world.leave("edge-0");
    await world.pass(3_590);
    expect(world.ids("gone")).toEqual(["edge-0"]);
    await world.pass(20);
    expect(world.recorded().map(({ id }) => id)).toEqual(["edge-1"]);
    world.leave("edge-1");
    await world.pass(10);
    world.fleets.delete("edge");
    world.turnover += 1;
    await world.pass(2);
    expect(world.entries.size).toBe(0);
  });

  test("that somebody took out of the record is not written again", async () => {
    const world = await settledWorld();
    world.leave("edge-0");
    await world.pass(10);
    world.entries.clear();
    world.connect("edge-1", "a");
    await world.pass(20);
    expect(world.recorded().map(({ id }) => id)).toEqual(["edge-1"]);
  });
});

test("a proxy that flaps is never written, whatever its rhythm below the grace", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 9 }))),
      async (turns) => {
        const world = new PresenceWorld("a", "b");
        for (const [stays, leaves] of turns) {
          world.connect("edge-0", leaves % 2 === 0 ? "a" : "b");
          await world.pass(stays);
          world.leave("edge-0");
          await world.pass(leaves);
        }
        await world.pass(100);
        expect(world.commits).toBe(0);
      },
    ),
  );
});

test("a proxy that is away for less than the grace, or moves to another replica or fleet, is never gone", async () => {
  const world = await settledWorld();
  const { commits } = world;
  for (let turn = 0; turn < 20; turn++) {
    world.leave("edge-0");
    await world.pass(4);
    world.connect("edge-0", "a");
    await world.pass(6);
  }
  expect(world.commits).toBe(commits);
  world.fleets.set("core", { forgetAfterMs: 60_000 });
  for (const [replica, fleet] of [
    ["b", "edge"],
    ["b", "core"],
    ["a", "core"],
    ["a", "edge"],
  ] as const) {
    world.connect("edge-0", replica, fleet);
    for (let second = 0; second < 15; second++) {
      await world.pass(1);
      expect([...world.ids("gone"), ...world.ids("gone", "core")]).toEqual([]);
    }
    expect(world.ids("here", fleet)).toEqual(["edge-0"]);
    expect(world.parts().flatMap(({ proxies }) => proxies)).toHaveLength(1);
  }
});

describe("a replica that is lost", () => {
  test("and back is no reason to call its proxies gone, however long it was silent", async () => {
    const world = await settledWorld(3);
    const { commits } = world;
    world.silence("a");
    await world.pass(280);
    world.silence("a", false);
    await world.pass(60);
    expect(world.commits).toBe(commits);
  });

  test("for good: its proxies have a minute to show themselves at another one", async () => {
    const world = await settledWorld(3);
    world.silence("a");
    await world.pass(100);
    world.dropReplica("a");
    world.connect("edge-1", "b");
    await world.pass(55);
    expect(world.ids("gone")).toEqual([]);
    await world.pass(10);
    expect(world.ids("gone")).toEqual(["edge-0", "edge-2"]);
  });

  test("does not keep those of others from being gone", async () => {
    const world = await settledWorld(2);
    world.connect("edge-1", "b");
    await world.pass(12);
    world.silence("a");
    world.leave("edge-1");
    await world.pass(7);
    expect(world.ids("gone")).toEqual(["edge-1"]);
  });
});

test("a restart of all planes writes nothing about proxies that come back, and remembers those that do not", async () => {
  const world = await settledWorld(4);
  world.leave("edge-3");
  await world.pass(8);
  const { commits } = world;
  for (const name of ["a", "b"]) world.dropReplica(name);
  world.now += 20_000;
  for (const name of ["a", "b"]) world.startReplica(name);
  world.takeOver();
  await world.pass(20);
  for (const id of ["edge-0", "edge-1"]) world.connect(id, "a");
  await world.pass(30);
  expect(world.commits).toBe(commits);
  expect(world.ids("gone")).toEqual(["edge-3"]);
  await world.pass(15);
  expect(world.ids("gone")).toEqual(["edge-2", "edge-3"]);
});

test("a clock that goes back delays no decision by more than its own bound", async () => {
  const world = await settledWorld(2);
  world.leave("edge-0");
  await world.pass(8);
  world.now -= 500_000_000;
  world.takeOver();
  await world.pass(3_500);
  expect(world.ids("gone")).toEqual(["edge-0"]);
  world.leave("edge-1");
  await world.pass(7);
  expect(world.ids("gone")).toContain("edge-1");
  await world.pass(120);
  expect(world.ids("gone")).toEqual(["edge-1"]);
});

test("a restart of 1,000 proxies is a handful of commits, of 10,000 hardly more, and no part grows too long", async () => {
  for (const count of [1_000, MAX_RECORDED]) {
    const world = new PresenceWorld("a", "b");
    for (const id of names(count)) world.connect(id, "a");
    await world.pass(15);
    expect(world.ids("here")).toHaveLength(count);
    const { commits } = world;
    for (const id of names(count)) world.leave(id);
    await world.pass(15);
    expect(world.ids("gone")).toHaveLength(count);
    // They come back one after the other, over ten seconds.
    for (const [i, id] of names(count).entries()) {
      world.connect(id, "b");
      if (i % (count / 10) === 0) await world.pass(1);
    }
    await world.pass(15);
    expect(world.ids("here")).toHaveLength(count);
    expect(world.commits - commits).toBeLessThanOrEqual(count === 1_000 ? 6 : 18);
    for (const { value } of world.entries.values()) expect(value.byteLength).toBeLessThan(256 * 1024);
  }
});

test("whatever comes and goes, the record ends up right, with at most one commit a second", async () => {
  const event = fc.record({
    id: fc.constantFrom(...names(5)),
    what: fc.constantFrom("a", "b", "leave", "silence a", "hear a", "take over"),
    seconds: fc.integer({ min: 0, max: 15 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
      const world = new PresenceWorld("a", "b");
      let isSilent = false;
      let seconds = 0;
      for (const { id, what, seconds: pause } of events) {
        if (what === "leave") world.leave(id);
        else if (what === "take over") world.takeOver();
        else if (what.endsWith(" a")) {
          isSilent = what === "silence a";
          world.silence("a", isSilent);
        } else world.connect(id, what);
        await world.pass(pause);
        seconds += pause;
        expect(world.commits).toBeLessThanOrEqual(seconds);
      }
      world.silence("a", false);
      await world.pass(90);
      expect(world.ids("here")).toEqual([...world.places.keys()].toSorted());
      const ids = world.recorded().map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      const { commits } = world;
      await world.pass(60);
      expect(world.commits).toBe(commits);
    }),
    { numRuns: 150 },
  );
});

describe("the record of a fleet's proxies", () => {
  const text = fc.string({ unit: "binary", maxLength: 400 });
  const refusal = fc.record({ name: text, message: text });
  const presence = fc.record({
    id: fc.string({ minLength: 1, maxLength: 300 }),
    state: fc.constantFrom("here" as const, "gone" as const),
    since: fc.nat(),
    variant: fc.constantFrom("delta" as const, "sotw" as const),
    ...{ replica: text, cluster: text, client: text, envoyVersion: text, region: text, zone: text },
    last: fc.record({
      settled: text,
      types: fc.array(
        fc.record({
          typeUrl: text,
          shortName: fc.constantFrom("CDS", "LDS"),
          state: fc.constantFrom("acked" as const, "refused" as const, "missing" as const),
          known: fc.nat(),
          refused: fc.nat(),
          refusals: fc.array(refusal, { maxLength: 3 }),
        }),
        { maxLength: 8 },
      ),
    }),
  });

  test("reads as it was written, apart from what does not fit, and a full part fits its bound", () => {
    fc.assert(
      fc.property(fc.array(presence, { maxLength: 5 }), (proxies) => {
        const short = proxies.map((one) => ({
          ...one,
          replica: "a",
          cluster: "c",
          client: "",
          envoyVersion: "",
          region: "",
          zone: "",
        }));
        const bytes = PRESENCE.encode({ fleet: "edge", proxies: short });
        const read = readForm(PRESENCE, bytes);
        expect(read?.proxies.map(({ id, state, since }) => ({ id, state, since }))).toEqual(
          short.map(({ id, state, since }) => ({ id, state, since })),
        );
        expect(bytes.byteLength).toBeLessThanOrEqual(100 + proxies.length * (MAX_PRESENCE_BYTES + 1));
      }),
    );
    expect(100 + PROXIES_PER_PART * (MAX_PRESENCE_BYTES + 1)).toBeLessThanOrEqual(256 * 1024);
  });

  test("of any bytes and any JSON is some proxies or nothing, and never an error", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((json) => Buffer.from(json)),
        ),
        (bytes) => {
          for (const { id } of readForm(PRESENCE, bytes)?.proxies ?? []) expect(id).not.toBe("");
        },
      ),
    );
    const odd = { fleet: "edge", proxies: [null, 1, {}, { id: "a", state: "here", last: { types: [null, {}] } }] };
    expect(readForm(PRESENCE, Buffer.from(JSON.stringify(odd)))?.proxies).toHaveLength(1);
  });
});
