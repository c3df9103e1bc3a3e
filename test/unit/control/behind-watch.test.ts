import { expect, it } from "vitest";
import { AHEAD_MS, BehindWatch } from "../../../src/control/behind-watch.ts";
import { Mirror } from "../../../src/control/mirror.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { PeerNetwork } from "../../support/peer-network.ts";

it("sheds once when the others have been ahead for long, takes proxies again when it has caught up, and never for a lost store or on the others' word alone", async () => {
  const clock = new FakeClock();
  const network = new PeerNetwork();
  const mirror = new Mirror();
  const reach = (position: number) =>
    mirror.fold({ kind: "commit", revision: { epoch: 1, position }, at: 0, changes: [] });
  let [shed, told, isStoreAway, isCaughtUp] = [0, 1, false, false];
  const watch = new BehindWatch({
    mirror,
    peers: network.join("a"),
    clock,
    log: silentLogger,
    isStoreAway: () => isStoreAway,
    catchUp: async () => {
      if (!isCaughtUp) throw new Error("the log cannot be read");
    },
    onBehind: () => {
      shed += 1;
    },
  });
  network.join("b").announce(() => ({ revision: { epoch: 1, position: told } }));
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1000) {
      told += 1;
      network.tell();
      await clock.advance(1000);
    }
    network.tell();
  };
  reach(1);
  await pass(AHEAD_MS - 1000);
  expect([shed, watch.isBehind]).toEqual([0, false]);
  await pass(2 * AHEAD_MS);
  expect([shed, watch.isBehind]).toEqual([1, true]);
  reach(told);
  expect(watch.isBehind).toBe(false);
  isStoreAway = true;
  await pass(2 * AHEAD_MS);
  isStoreAway = false;
  isCaughtUp = true;
  await pass(4 * AHEAD_MS);
  expect([shed, watch.isBehind]).toEqual([1, false]);
  reach(told);
  isCaughtUp = false;
  network.silence("b", true);
  await pass(2 * AHEAD_MS);
  expect([shed, watch.isBehind]).toEqual([1, false]);
  watch.stop();
});
