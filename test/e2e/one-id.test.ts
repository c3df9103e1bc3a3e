import { describe, expect, test } from "vitest";
import { startBackend } from "../support/backend.ts";
import { startEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, manifest, routeTo, service } from "../support/manifest.ts";
import { type Plane, startPlane } from "../support/plane.ts";

const PARENT_ENDS_AFTER_S = 2;

interface Proxy {
  readonly bootstrap: string;
  readonly port: number;
}

async function startFleet(plane: Plane): Promise<Proxy> {
  const port = await freePort();
  await plane.mustApply(manifest(fleet("edge"), listener("web", port)));
  const bootstrap = await plane.mustCli(
    ...["bootstrap", "--node-id", "edge-1", "--fleet", "edge", "--xds", plane.addresses.xds],
  );
  return { bootstrap, port };
}

/** Lines of `fairlead nodes` below its head. */
async function listed(plane: Plane): Promise<number> {
  return (JSON.parse(await plane.mustCli("nodes", "-o", "json")) as unknown[]).length;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const timesIn = (text: string, what: string) => text.split(what).length - 1;

describe("two processes with one node id", () => {
  test("the two of a hot restart are one proxy, and the old one holds no wait up", async () => {
    await using plane = await startPlane();
    await using shop = await startBackend("shop");
    const { bootstrap } = await startFleet(plane);
    const args = ["--drain-time-s", "1", "--parent-shutdown-time-s", `${PARENT_ENDS_AFTER_S}`];
    const baseId = process.pid % 30_000;
    await using old = await startEnvoy({ bootstrap, args, hotRestart: { baseId, epoch: 0 } });
    await old.ready();
    await using young = await startEnvoy({ bootstrap, args, hotRestart: { baseId, epoch: 1 } });
    await young.ready();
    const objects = manifest(service("shop"), backend("shop/a", shop.address), routeTo("shop"));
    const startedAt = performance.now();
    const waited = await plane.mustApply(objects, "--wait");
    expect(waited).toMatch(/\b1 (of 1 )?prox/);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect(await listed(plane)).toBe(1);
    expect(await plane.mustCli("status")).not.toContain("is connected twice");
    await eventually(
      () => isRunning(old.pid),
      (isRunning) => !isRunning,
      { what: "the old process has ended", timeoutMs: 30_000 },
    );
    await plane.mustApply(manifest(service("other")), "--wait");
    expect(await listed(plane)).toBe(1);
    expect(await plane.mustCli("status")).not.toContain("is connected twice");
  });

  test("two Envoys are two in a wait, and one line in the status", async () => {
    await using plane = await startPlane();
    const { bootstrap } = await startFleet(plane);
    await using first = await startEnvoy({ bootstrap });
    await first.ready();
    await using second = await startEnvoy({ bootstrap });
    await second.ready();
    // Until then it may be a hot restart.
    await eventually(
      () => listed(plane),
      (count) => count === 2,
      { what: "both are listed", timeoutMs: 60_000, everyMs: 500 },
    );
    const waited = await plane.apply(manifest(service("shop"), routeTo("shop")), "--wait");
    expect(waited.code).toBe(0);
    expect(waited.stdout + waited.stderr).toMatch(/\b2 (of 2 )?proxies/);
    expect(await listed(plane)).toBe(2);
    expect(timesIn(await plane.mustCli("status"), "node edge-1 is connected twice")).toBe(1);
  });
});
