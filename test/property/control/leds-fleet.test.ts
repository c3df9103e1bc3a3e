import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RECORDS } from "../../../src/store/keys/records.ts";
import { Envoy, Log, Replica, SERVICE } from "./leds-fleet.ts";

const IDS = ["b0", "b1", "b2", "b3"];
/** Serves no proxy and is not restarted: it loses the duty's memory only when it is told to. */
const KEEPER = 2;

type Move =
  | { readonly kind: "join"; readonly id: string; readonly zone: string; readonly host: number }
  | { readonly kind: "leave"; readonly id: string }
  /** The duty looks; or it has moved, and knows only what is stored. */
  | { readonly kind: "look" }
  | { readonly kind: "takeover" }
  | { readonly kind: "restart"; readonly replica: number }
  | { readonly kind: "mode"; readonly mode: string }
  /** The fleet names other networks; or a plane records that it listens where a backend is, or does so no more. */
  | { readonly kind: "networks"; readonly networks: readonly string[] }
  | { readonly kind: "plane"; readonly host: number | undefined };

/** A proxy is away for a while, and comes back to some replica. */
interface Absence {
  readonly proxy: number;
  readonly meanwhile: readonly Move[];
  readonly replica: number;
}

const id = fc.constantFrom(...IDS);
const nth = fc.nat(1);
// Addresses are shared now and then, so that one backend comes and goes with another.
const join = fc.record({
  kind: fc.constant("join" as const),
  id,
  zone: fc.constantFrom("a", "b"),
  host: fc.integer({ min: 1, max: 6 }),
});
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: join },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("leave"), id }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("look") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("takeover") }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("restart"), replica: nth }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("mode"), mode: fc.constantFrom("LEDS", "EDS") }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("networks"),
      networks: fc.constantFrom([], ["10.0.0.0/30"], ["10.0.0.4/30", "10.0.0.1/32"], ["192.0.2.0/24"]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("plane"), host: fc.constantFrom(undefined, 1, 2) }),
  },
);
const absence: fc.Arbitrary<Absence> = fc.record({
  proxy: nth,
  meanwhile: fc.array(move, { maxLength: 5 }),
  replica: nth,
});

class World {
  readonly log = new Log();
  readonly proxies = [new Envoy(), new Envoy()];
  /** Joined since the duty looked last; whether one of these has left or moved since. */
  readonly #joined = new Set<string>();
  #brief = false;
  #now = 1000;

  constructor() {
    this.log.put({ kind: "Fleet", name: "edge" });
    this.log.put({ kind: "Listener", name: "web", fleet: "edge", address: "127.0.0.1:80" });
    const rules = [{ to: [{ service: SERVICE }] }];
    this.log.put({ kind: "Route", name: "r", listeners: ["web"], hosts: ["*"], rules });
    this.log.put({ kind: "Service", name: SERVICE, endpointDiscovery: "LEDS" });
    this.log.replicas.push(new Replica(this.log), new Replica(this.log), new Replica(this.log));
  }

  async play(each: Move): Promise<void> {
    switch (each.kind) {
      case "join":
      case "leave":
        this.#brief ||= this.#joined.has(each.id);
        if (each.kind === "leave") this.log.remove(`${SERVICE}/${each.id}`);
        else this.#join(each);
        break;
      case "look":
        await this.look();
        break;
      case "takeover":
        // Of what came and went between two looks, nothing is left to be seen once the duty has moved.
        if (this.#brief) await this.look();
        await this.#act({ forgets: true });
        break;
      case "restart": {
        const old = this.log.replicas[each.replica];
        for (const proxy of this.proxies) if (proxy.connected === old) proxy.disconnect();
        this.log.replicas[each.replica] = new Replica(this.log);
        break;
      }
      case "mode":
        this.log.put({ kind: "Service", name: SERVICE, endpointDiscovery: each.mode });
        break;
      case "networks":
        this.log.put({ kind: "Fleet", name: "edge", backendNetworks: each.networks });
        break;
      case "plane": {
        const addresses = each.host === undefined ? [] : [{ ip: `10.0.0.${each.host}`, port: 80 }];
        this.log.commit([{ key: RECORDS.plane.key("plane-a"), value: RECORDS.plane.encode({ addresses, at: 0 }) }]);
      }
    }
  }

  async look(): Promise<void> {
    await this.#act({ forgets: false });
    this.#joined.clear();
    this.#brief = false;
  }

  connect(proxy: number, replica: number): void {
    const to = this.log.replicas[replica];
    if (to) this.proxies[proxy]?.connect(to);
  }

  /** The addresses that each connected proxy sends requests to. */
  used(): readonly (readonly string[])[] {
    for (const proxy of this.proxies) proxy.exchange();
    return this.proxies.flatMap((proxy) => (proxy.connected ? [proxy.hosts] : []));
  }

  #join({ id: own, zone, host }: Extract<Move, { kind: "join" }>): void {
    this.#joined.add(own);
    this.log.put({ kind: "Backend", name: `${SERVICE}/${own}`, address: `10.0.0.${host}:80`, locality: { zone } });
  }

  async #act(options: { forgets: boolean }): Promise<void> {
    this.#now += 10;
    await this.log.replicas[KEEPER]?.act(this.log, this.#now, options);
  }
}

test("xds R19: who leaves while a proxy is away, a replica restarts or the duty moves is gone from every proxy once the duty has looked", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(absence, { minLength: 1, maxLength: 6 }), async (absences) => {
      const world = new World();
      for (const [i, own] of IDS.entries()) await world.play({ kind: "join", id: own, zone: "a", host: i + 1 });
      await world.look();
      for (const n of [0, 1]) world.connect(n, n);
      for (const { proxy, meanwhile, replica } of absences) {
        world.proxies[proxy]?.exchange();
        world.proxies[proxy]?.disconnect();
        for (const each of meanwhile) {
          await world.play(each);
          for (const other of world.proxies) other.exchange();
        }
        world.connect(proxy, replica);
        world.proxies[proxy]?.exchange();
        await world.look();
        for (const hosts of world.used()) expect(hosts).toEqual(world.log.wanted());
      }
    }),
    { numRuns: Number(process.env["FAIRLEAD_PROPERTY_RUNS"] ?? 60) },
  );
});

test("xds R19: who comes and goes between two looks of the duty is gone from a proxy that met it, whichever replica it comes back to", async () => {
  const world = new World();
  await world.play({ kind: "join", id: "b0", zone: "a", host: 1 });
  await world.look();
  world.connect(0, 0);
  world.proxies[0]?.exchange();
  await world.play({ kind: "join", id: "b1", zone: "a", host: 2 });
  expect(world.used()).toEqual([["10.0.0.1:80", "10.0.0.2:80"]]);
  world.proxies[0]?.disconnect();
  await world.play({ kind: "leave", id: "b1" });
  await world.look();
  await world.play({ kind: "restart", replica: 1 });
  world.connect(0, 1);
  expect(world.used()).toEqual([["10.0.0.1:80"]]);
});
