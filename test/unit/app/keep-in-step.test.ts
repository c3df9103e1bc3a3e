import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keepInStep } from "../../../src/app/keep-in-step.ts";
import { follow } from "../../../src/control/follow.ts";
import { Mirror } from "../../../src/control/mirror.ts";
import { StateDigest } from "../../../src/control/state-digest.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { HeldState } from "../../../src/store/held-state.ts";
import type { WatchEvent } from "../../../src/store/state-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { PeerNetwork } from "../../support/peer-network.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const KEY = "refusals/x";
const clock = new FakeClock();
let network: PeerNetwork;
let stopped: AbortController;
beforeEach(() => {
  network = new PeerNetwork();
  stopped = new AbortController();
});
afterEach(() => stopped.abort());

/** A replica with a copy of the store that is right, and, until it is read anew, a fold that may miss a change. */
function replica(name: string, misses: (event: WatchEvent) => boolean = () => false) {
  const held = new HeldState({ epoch: 1, position: 0, at: 0, floor: 0, entries: new Map(), tombstones: new Map() });
  const store = {
    async *watch(options: { readonly signal: AbortSignal }) {
      for await (const event of held.watch(options)) yield misses(event) ? { ...event, changes: [] } : event;
    },
  };
  const [mirror, digest] = [new Mirror(), new StateDigest()];
  const { failed, readAnew } = follow(store, [digest, mirror], { signal: stopped.signal, log: silentLogger });
  const peers = network.join(name);
  const holds: (string | undefined)[] = [];
  let frozen: string | undefined;
  const inStep = keepInStep({
    mirror,
    digest,
    profiles: [1],
    store: {
      peers,
      status: () => ({ kind: "nats", copies: 1, frozen, clockOffsetMs: 0 }),
      verify: async () => {},
    },
    catchUp: async () => {},
    readAnew,
    recheckHolds: () => holds.push(inStep.hold()),
    shed: () => {},
    clock,
    random: seededRandom(1),
    log: silentLogger,
    registry: new Registry(),
  });
  peers.announce(() => {
    const digestNow = digest.at(mirror.revision);
    return { revision: mirror.revision, ...inStep.told(), ...(digestNow !== undefined && { digest: digestNow }) };
  });
  failed.catch(() => undefined);
  const freeze = () => {
    frozen = "the bucket was replaced";
  };
  return { held, digest, inStep, holds, freeze };
}

it("holds back for as long as another one says that it saw the store go back, and passes no such word on", async () => {
  const replicas = ["a", "b"].map((name) => replica(name));
  await clock.advance(0);
  for (const { held } of replicas) held.apply({ position: 7, at: 0, changes: [] });
  await clock.advance(0);
  const witness = network.join("witness");
  const at = { revision: { epoch: 1, position: 7 } };
  const holds = () => replicas.map(({ inStep }) => inStep.hold());
  witness.announce(() => ({ ...at, held: "store_went_back", storeWentBack: true }));
  expect(holds()).toEqual(["store_went_back", "store_went_back"]);
  expect(replicas.map(({ inStep }) => inStep.told())).toEqual([
    { held: "store_went_back" },
    { held: "store_went_back" },
  ]);
  network.leave("witness");
  network.tell();
  expect(holds()).toEqual([undefined, undefined]);
  // What is told for people decides nothing.
  network.join("witness").announce(() => ({ ...at, held: "store_went_back" }));
  expect(holds()).toEqual([undefined, undefined]);
  for (const { inStep } of replicas) inStep.stop();
});

it("serves what it has once it has seen the store go back, although it differed from another one before", async () => {
  const [one, other] = [replica("a"), replica("b")];
  await clock.advance(0);
  for (const [i, { held }] of [one, other].entries()) {
    held.apply({ position: 7, at: 0, changes: [{ key: KEY, value: Buffer.from(`${i}`), position: 7, at: 0 }] });
  }
  await clock.advance(0);
  network.tell();
  // The state was read anew by then, and is the same as before.
  await clock.advance(0);
  expect([one.inStep.hold(), other.inStep.hold()]).toEqual(["state_divided", "state_divided"]);
  one.freeze();
  await clock.advance(0);
  expect([one.inStep.hold(), one.inStep.admit()]).toEqual([undefined, undefined]);
  network.tell();
  await clock.advance(0);
  expect(other.inStep.hold()).toBe("store_went_back");
  for (const { inStep } of [one, other]) inStep.stop();
});

it("reads the whole state again where most hold another one, although the copy of the store is right", async () => {
  let missed = 0;
  const misses = (event: WatchEvent) => event.kind === "commit" && missed++ === 0;
  const replicas = [replica("a"), replica("b"), replica("c", misses)];
  await clock.advance(0);
  for (const { held } of replicas) {
    held.apply({ position: 7, at: 0, changes: [{ key: KEY, value: Buffer.from("x"), position: 7, at: 0 }] });
  }
  await clock.advance(0);
  network.tell();
  await clock.advance(0);
  network.tell();
  expect(replicas.map(({ holds }) => holds)).toEqual([[], [], ["state_differs", undefined]]);
  const [right, ...others] = replicas.map(({ digest }) => digest.at({ epoch: 1, position: 7 }));
  expect(others).toEqual([right, right]);
  for (const { inStep } of replicas) inStep.stop();
});
