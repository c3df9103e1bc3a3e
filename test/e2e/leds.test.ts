import { expect, test } from "vitest";
import { ENVOY_VERSIONS } from "../../scripts/components/envoy.ts";
import { LEDS_BELOW, LEDS_FROM } from "../../src/domain/leds.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { Health_Status } from "../../src/gen/fairlead/admin/v1/backend_pb.ts";
import type { Random } from "../../src/runtime/random.ts";
import { eventually } from "../support/eventually.ts";
import { policy, service } from "../support/manifest.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { Traffic } from "../support/traffic.ts";
import { LedsWorld } from "./leds-world.ts";

/** More of them on demand. */
const ROUNDS = Number(process.env["FAIRLEAD_LEDS_ROUNDS"] ?? 16);
const SEED = Number(process.env["FAIRLEAD_LEDS_SEED"] ?? 7);
const SERVICE = { endpointDiscovery: "LEDS", drainTime: "0s" };

const { unregisterBackend, reportHealth } = AdminService.method;

type Step = (world: LedsWorld, random: Random) => Promise<void>;

function pick(world: LedsWorld, random: Random) {
  const [id, member] = [...world.members][Math.floor(random.next() * world.members.size)] ?? [];
  if (id === undefined || member === undefined) throw new Error("no member is left");
  return { id, member };
}

async function leave(world: LedsWorld, random: Random, count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { id } = pick(world, random);
    world.members.delete(id);
    await world.admin.call(unregisterBackend, { name: `shop/${id}` });
  }
}

function failuresOf(traffic: Traffic): string[] {
  return traffic.failures().map(({ status, body, error }) => `${status} ${body}${error ?? ""}`);
}

const STEPS: Readonly<Record<string, Step>> = {
  "backends join": (world, random) =>
    world.apply(...Array.from({ length: 1 + Math.floor(random.next() * 8) }, () => world.join())),
  "backends leave": (world, random) => leave(world, random, 1 + Math.floor(random.next() * 4)),
  "a weight changes": async (world, random) => {
    const { id, member } = pick(world, random);
    member.weight = 1 + Math.floor(random.next() * 5);
    await world.apply(world.manifestOf(id, member));
  },
  "a backend moves to another zone": async (world, random) => {
    const { id, member } = pick(world, random);
    member.zone = member.zone === "a" ? "b" : "a";
    await world.apply(world.manifestOf(id, member));
  },
  "health changes": async (world, random) => {
    const { id, member } = pick(world, random);
    member.healthy = !member.healthy;
    const status = member.healthy ? Health_Status.HEALTHY : Health_Status.UNHEALTHY;
    await world.admin.call(reportHealth, { health: { backend: `shop/${id}`, source: "reporter:test", status } });
  },
  "the cluster changes": (world, random) =>
    world.apply(policy("shop", { circuitBreakers: { maxRetries: 10 + Math.floor(random.next() * 1000) } })),
  "the cluster and its members change at once": async (world, random) => {
    const { id, member } = pick(world, random);
    member.weight = 1 + Math.floor(random.next() * 5);
    const maxRetries = 10 + Math.floor(random.next() * 1000);
    await world.apply(policy("shop", { circuitBreakers: { maxRetries } }), world.manifestOf(id, member), world.join());
  },
  "backends leave while the proxies are away": async (world, random) => {
    for (const { wire } of world.proxies) wire.reset();
    await leave(world, random, 3);
    await world.apply(world.join());
    for (const { wire } of world.proxies) wire.mend();
  },
  "backends leave while the plane restarts": async (world, random) => {
    await leave(world, random);
    await world.plane.kill9();
    for (const { wire } of world.proxies) wire.reset();
    await world.plane.restart();
    await leave(world, random, 2);
    for (const { wire } of world.proxies) wire.mend();
  },
  "the mode is switched off and on": async (world) => {
    await world.apply(service("shop", { ...SERVICE, endpointDiscovery: "EDS" }));
    await world.delivered("EDS");
    await world.settled("by EDS");
    await world.apply(service("shop", SERVICE));
    await world.delivered("LEDS");
  },
};

test(
  `a service by LEDS: ${ROUNDS} rounds of change, seed ${SEED}, lose no request and leave no host behind`,
  async () => {
    await using world = await LedsWorld.start(60, SERVICE);
    await world.delivered("LEDS");
    const newest = await world.addProxy("edge-1");
    const sotw = await world.addProxy("edge-2", { sotw: true });
    const older = await world.addProxy("edge-3", { version: ENVOY_VERSIONS.oldest });
    const traffic = world.traffic();
    await traffic.more(200);
    await world.settled("at the start");
    expect(await world.streamsOf(newest)).toBe(4);
    expect(await world.streamsOf(sotw)).toBe(4);
    expect(await world.streamsOf(older)).toBe(1);

    const random = seededRandom(SEED);
    const names = Object.keys(STEPS);
    const played: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // Each step once in turn, then by chance.
      const name = names[round < names.length ? round : Math.floor(random.next() * names.length)] ?? "";
      played.push(name);
      await STEPS[name]?.(world, random);
      await world.settled(`after round ${round}, ${name}`);
      expect(failuresOf(traffic), `failed requests in round ${round}, ${name}`).toEqual([]);
    }
    await traffic.stop();
    expect(failuresOf(traffic)).toEqual([]);
    expect(world.plane.log()).not.toContain("response refused");
  },
  ROUNDS * 20_000 + 60_000,
);

test("a service that grows and shrinks is switched to LEDS and back under load, and no request is lost", async () => {
  await using world = await LedsWorld.start(20, { drainTime: "0s" });
  const newest = await world.addProxy("edge-1");
  const older = await world.addProxy("edge-2", { version: ENVOY_VERSIONS.oldest });
  const traffic = world.traffic();
  await traffic.more(100);
  await world.settled("small");
  expect(await world.streamsOf(newest)).toBe(1);

  await world.apply(...Array.from({ length: LEDS_FROM - 20 }, () => world.join()));
  await world.delivered("LEDS");
  await world.settled("grown");
  expect(await world.streamsOf(newest)).toBe(4);
  expect(await world.streamsOf(older)).toBe(1);
  const explained = await world.plane.mustCli("explain", "backend", "shop/b-1");
  expect(explained).toContain(`by LEDS where proxies support it, otherwise by EDS: ${LEDS_FROM} backends`);

  const gone = [...world.members.keys()].slice(LEDS_BELOW - 1);
  for (const id of gone) world.members.delete(id);
  while (gone.length > 0) {
    // A connection has at most 100 open calls.
    await Promise.all(gone.splice(0, 50).map((id) => world.admin.call(unregisterBackend, { name: `shop/${id}` })));
  }
  await world.delivered("EDS");
  await world.settled("shrunk");
  await eventually(
    () => world.streamsOf(newest),
    (streams) => streams === 1,
    { what: "the streams of the collections are gone" },
  );
  await traffic.stop();
  expect(failuresOf(traffic)).toEqual([]);
}, 120_000);
