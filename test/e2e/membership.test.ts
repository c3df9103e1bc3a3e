import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { Health_Status } from "../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { backend, routeTo, service } from "../support/manifest.ts";
import { startStack } from "../support/stack.ts";
import { Traffic, tally } from "../support/traffic.ts";

/** How long after an acknowledgement a worker of Envoy may still use the state before it. */
const SETTLE_MS = 100;

test("backends come and go under load without one failed request", async () => {
  await using stable = await startBackend("stable");
  await using visitor = await startBackend("visitor");
  await using stack = await startStack({
    concurrency: 2,
    objects: [service("shop"), backend("shop/stable", stable.address), routeTo("shop")],
  });
  await using traffic = new Traffic({ url: stack.url() }, 4);
  await traffic.more(100);

  for (let round = 0; round < 5; round += 1) {
    const { revision: added } = await stack.admin.call(AdminService.method.registerBackend, {
      backend: { name: "shop/visitor", target: { case: "address", value: visitor.address } },
    });
    await stack.acknowledged(added);
    await sleep(SETTLE_MS);
    expect(tally(await traffic.more(200))["visitor"]).toBeGreaterThan(0);

    const { revision: removed } = await stack.admin.call(AdminService.method.unregisterBackend, {
      name: "shop/visitor",
    });
    await stack.acknowledged(removed);
    await sleep(SETTLE_MS);
    expect(tally(await traffic.more(200))["visitor"]).toBeUndefined();
  }
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
  expect(traffic.answers.length).toBeGreaterThan(2_000);
});

test("an unhealthy backend, and only that one, gets no new request after the proxy's acknowledgement", async () => {
  await using sick = await startBackend("sick");
  await using well = await startBackend("well");
  await using fine = await startBackend("fine");
  await using stack = await startStack({
    concurrency: 2,
    objects: [
      service("shop"),
      backend("shop/sick", sick.address),
      backend("shop/well", well.address),
      backend("shop/fine", fine.address),
      routeTo("shop"),
    ],
  });
  await using traffic = new Traffic({ url: stack.url() }, 4);
  await traffic.more(200);
  const report = async (status: Health_Status): Promise<number> => {
    const { revision } = await stack.admin.call(AdminService.method.reportHealth, {
      health: { backend: "shop/sick", source: "reporter:test", status, reason: "told so by the test" },
    });
    await stack.acknowledged(revision);
    return Date.now();
  };

  for (let round = 0; round < 5; round += 1) {
    const outAt = await report(Health_Status.UNHEALTHY);
    await sleep(SETTLE_MS);
    const without = tally(await traffic.more(300));
    expect(sick.requests.filter(({ arrivedAt }) => arrivedAt > outAt + SETTLE_MS)).toEqual([]);
    expect(Object.keys(without).toSorted()).toEqual(["fine", "well"]);

    await report(Health_Status.HEALTHY);
    await sleep(SETTLE_MS);
    expect(Object.keys(tally(await traffic.more(300))).toSorted()).toEqual(["fine", "sick", "well"]);
  }
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
});

test("a draining backend finishes what it has and gets nothing new, until the drain is undone", async () => {
  await using leaving = await startBackend("leaving");
  await using staying = await startBackend("staying");
  await using stack = await startStack({
    objects: [
      service("shop", { drainTime: "300s" }),
      backend("shop/leaving", leaving.address),
      backend("shop/staying", staying.address),
      routeTo("shop"),
    ],
  });
  await using traffic = new Traffic({ url: stack.url() }, 4);
  await traffic.more(100);

  leaving.behave({ delayMs: 1_500 });
  await eventually(
    () => leaving.inFlight(),
    (count) => count > 0,
    { what: "a request waits at the slow backend" },
  );
  const { revision } = await stack.admin.call(AdminService.method.drainBackend, { name: "shop/leaving" });
  await stack.acknowledged(revision);
  const drainedAt = Date.now() + SETTLE_MS;
  await sleep(SETTLE_MS);
  expect(leaving.inFlight()).toBeGreaterThan(0);
  await eventually(
    () => leaving.inFlight(),
    (count) => count === 0,
    { what: "what was under way has finished" },
  );
  await traffic.more(500);
  expect(leaving.requests.filter(({ arrivedAt }) => arrivedAt > drainedAt)).toEqual([]);
  const finished = traffic.answers.filter(({ backend: name, endedAt }) => name === "leaving" && endedAt > drainedAt);
  expect(new Set(finished.map(({ status }) => status))).toEqual(new Set([200]));

  leaving.behave({ delayMs: 0 });
  const undone = await stack.admin.call(AdminService.method.drainBackend, { name: "shop/leaving", undo: true });
  await stack.acknowledged(undone.revision);
  await sleep(SETTLE_MS);
  expect(tally(await traffic.more(200))["leaving"]).toBeGreaterThan(0);
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
});
