import { afterEach, beforeEach, expect, test } from "vitest";
import { follow } from "../../../src/control/follow.ts";
import { Mirror } from "../../../src/control/mirror.ts";
import { type Duty, type DutyStep, startDuty } from "../../../src/duties/duty.ts";
import type { Containment } from "../../../src/runtime/containment.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import type { StateStore, StoreOp } from "../../../src/store/state-store.ts";
import { newContainment } from "../../support/containment.ts";
import { openMemoryStore } from "../../support/embedded-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";

let clock: FakeClock;
let store: StateStore;
let mirror: Mirror;
let containment: Containment;
let stop: AbortController;
let running: ReturnType<typeof startDuty> | undefined;

beforeEach(async () => {
  clock = new FakeClock();
  ({ state: store } = await openMemoryStore({ clock }));
  mirror = new Mirror();
  containment = newContainment();
  stop = new AbortController();
  follow(store, [mirror], { signal: stop.signal, log: silentLogger }).failed.catch(() => undefined);
  await mirror.reach({ epoch: 0, position: 0 });
});

afterEach(async () => {
  await running?.stop();
  stop.abort();
  await store.close();
});

const put = (key: string): StoreOp => ({ op: "put", key, value: new Uint8Array() });
const keys = async () => (await store.read("")).entries.map(({ key }) => key);

async function start(plan: Duty["plan"]) {
  const key = "system/leases/test";
  const { revision } = await store.commit({
    ops: [put(key)],
    cause: { actor: "", operation: "-lease", reason: "", requestId: "" },
  });
  const context = { mirror, store, clock, log: silentLogger, containment, fencingToken: { key, revision } };
  running = startDuty(context, { name: "test", operation: "test", concerns: [], plan });
  await clock.advance(100);
}

test("what cannot be committed is named, and keeps nothing else of the duty from being done", async () => {
  const done: DutyStep = { batches: [], nextAt: undefined };
  let looks = 0;
  await start(() => {
    looks += 1;
    return looks > 2 ? done : { batches: [[put("not a key")], [put("good")]], nextAt: undefined };
  });
  expect(await keys()).toContain("good");
  expect(containment.failures()).toMatchObject([{ source: "duty", input: "test of not a key", count: 1 }]);
  await clock.advance(1_000);
  expect(containment.failures(), "it is tried again").toMatchObject([{ count: 2 }]);
});

test("a plan that throws is counted, and made again", async () => {
  let looks = 0;
  await start(() => {
    looks += 1;
    if (looks === 1) throw new TypeError("a backend that no plan can be made for");
    return { batches: looks === 2 ? [[put("later")]] : [], nextAt: undefined };
  });
  expect(containment.failures()).toMatchObject([{ source: "duty", input: "test", count: 1 }]);
  await clock.advance(1_000);
  expect(await keys()).toContain("later");
});
