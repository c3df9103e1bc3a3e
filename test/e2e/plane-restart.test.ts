import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ENVOY_VERSIONS } from "../../scripts/components/envoy.ts";
import { startBackend } from "../support/backend.ts";
import type { Envoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { backend, routeTo, service } from "../support/manifest.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { Traffic, tally } from "../support/traffic.ts";

describe.each(Object.values(ENVOY_VERSIONS))("Envoy %s", (envoyVersion) => {
  test("a plane that is killed and started again costs no request, and what did not change is not sent again", async () => {
    await using one = await startBackend("one");
    await using two = await startBackend("two");
    await using stack = await startStack({
      envoyVersion,
      concurrency: 2,
      objects: [service("shop"), backend("shop/one", one.address), backend("shop/two", two.address), routeTo("shop")],
    });
    await using traffic = new Traffic({ url: stack.url() }, 4);
    await traffic.more(200);
    const before = await received(stack.envoy);

    await stack.plane.kill9();
    await connected(stack, 0);
    await traffic.more(500);
    await stack.plane.restart();
    await connected(stack, 1);
    await upToDate(stack);
    // Time for a server that would send everything again to do so.
    await sleep(500);
    expect(await received(stack.envoy)).toEqual(before);

    await stack.apply(backend("shop/one", one.address, { weight: 3 }));
    expect(tally(await traffic.more(400))["one"]).toBeGreaterThan(0);
    const after = await received(stack.envoy);
    expect(changedKeys(before, after)).toEqual(["endpoints"]);
    await traffic.stop();
    expect(traffic.failures()).toEqual([]);
  });
});

test("what changed while Envoy was without its plane arrives after the reconnect, removals too", async () => {
  await using kept = await startBackend("kept");
  await using dropped = await startBackend("dropped");
  await using stack = await startStack({
    objects: [
      service("shop"),
      backend("shop/kept", kept.address),
      backend("shop/dropped", dropped.address),
      routeTo("shop"),
      service("old"),
      backend("old/a", dropped.address),
    ],
  });
  await using traffic = new Traffic({ url: stack.url() }, 2);
  await traffic.more(50);
  const bootTime = stack.plane.pid();

  await stack.plane.kill9();
  await connected(stack, 0);
  await stack.plane.restart();
  expect(stack.plane.pid()).not.toBe(bootTime);
  await stack.plane.mustCli("unregister", "shop/dropped");
  await connected(stack, 1);
  await upToDate(stack);
  await sleep(100);
  expect(Object.keys(tally(await traffic.more(200)))).toEqual(["kept"]);
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
});

test("a stopped plane ends its streams within the stated time and Envoy serves on", async () => {
  await using one = await startBackend("one");
  await using stack = await startStack({
    objects: [service("shop"), backend("shop/one", one.address), routeTo("shop")],
  });
  await using traffic = new Traffic({ url: stack.url() }, 2);
  await traffic.more(50);
  const startedAt = performance.now();
  expect(await stack.plane.stop()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  await traffic.more(200);
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
});

/** How many resources of each kind Envoy took over from its plane, by its own count. */
async function received(envoy: Envoy): Promise<Record<string, number>> {
  const stats = await envoy.stats();
  const sum = (pattern: RegExp) =>
    [...stats].reduce((total, [name, value]) => (pattern.test(name) ? total + value : total), 0);
  return {
    clusters: sum(/^cluster_manager\.cluster_(added|modified|removed)$/),
    listeners: sum(/^listener_manager\.listener_(added|modified|removed|in_place_updated)$/),
    endpoints: sum(/^cluster\.(?!fairlead-xds)[^.]+\.update_success$/),
    routes: sum(/\.rds\..*\.update_success$/),
    refused: sum(/\.update_rejected$/),
  };
}

function changedKeys(before: Record<string, number>, after: Record<string, number>): string[] {
  return Object.keys(before).filter((key) => before[key] !== after[key]);
}

async function connected(stack: Stack, state: 0 | 1): Promise<void> {
  await eventually(
    async () => (await stack.envoy.stats(/^control_plane\.connected_state$/)).get("control_plane.connected_state"),
    (value) => value === state,
    { what: `Envoy's connection to its plane is ${state === 1 ? "up" : "down"}`, timeoutMs: 30_000 },
  );
}

/** Waits until the plane says that its only proxy has nothing outstanding. */
async function upToDate(stack: Stack): Promise<void> {
  await eventually(
    async () =>
      JSON.parse(await stack.plane.mustCli("nodes", "-o", "json")) as { connected?: boolean; lagMs?: string }[],
    ([node]) => node?.connected === true && Number(node.lagMs ?? 0) === 0,
    { what: "the plane sees its proxy up to date" },
  );
}
