import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { fleet, listener, manifest } from "../support/manifest.ts";
import type { Plane } from "../support/plane.ts";
import { problemsOf } from "../support/plane-health.ts";
import { startReplicas } from "../support/replicas.ts";

/** Longer than the grace, after which a proxy is known to have been there. */
const STAYED_MS = 7_000;
const PATIENCE_MS = 60_000;
const GONE = "proxy edge-1 of fleet edge is gone";

interface Listed {
  readonly id: string;
  readonly connected?: boolean;
  readonly gone?: boolean;
  readonly since: string;
}

const listed = async (plane: Plane, id: string) =>
  (JSON.parse(await plane.mustCli("nodes", "-o", "json")) as Listed[]).find((node) => node.id === id);

const told = (plane: Plane, what: string, isTold: boolean) =>
  eventually(
    () => problemsOf(plane),
    (problems) => problems.some((problem) => problem.what === what) === isTold,
    { what: `${what}: ${isTold}`, timeoutMs: PATIENCE_MS, everyMs: 200 },
  );

async function stays(plane: Plane, id: string): Promise<void> {
  await eventually(
    () => listed(plane, id),
    (node) => node?.connected === true && Date.now() - Date.parse(node.since) > STAYED_MS,
    { what: `${id} stays`, timeoutMs: PATIENCE_MS, everyMs: 200 },
  );
}

test("an Envoy that is killed is a problem until it is back or forgotten, whatever becomes of the planes", async () => {
  await using replicas = await startReplicas({ planes: 2, servers: 1 });
  const [one, two] = replicas.planes as [Plane, Plane];
  await one.mustApply(manifest({ ...fleet("edge"), expected: 1 }, listener("web", await freePort())));
  const envoy = await replicas.startEnvoy("edge-1");
  await stays(one, "edge-1");
  expect(await problemsOf(two)).toEqual([]);

  const killedAt = Date.now();
  await envoy.kill();
  await told(two, GONE, true);
  // The grace, a second, and as much again for a busy machine.
  expect(Date.now() - killedAt).toBeLessThan(20_000);
  const problems = await problemsOf(one);
  expect(problems).toContainEqual(expect.objectContaining({ what: "fleet edge has 0 of 1 expected proxies" }));
  const [gone] = problems.filter(({ what }) => what === GONE);
  expect(gone?.why).toMatch(/^last seen by plane-[12]; it had acknowledged everything that it was sent; /);

  for (const plane of [one, two]) await plane.kill9();
  await Promise.all([one.restart(), two.restart()]);
  await told(one, GONE, true);
  expect(await listed(two, "edge-1")).toMatchObject({ gone: true });
  const shown = await one.mustCli("node", "edge-1");
  expect(shown).toContain("gone for");
  expect(shown).toMatch(/LDS +1 resource: ack/);

  const back = await replicas.startEnvoy("edge-1");
  await told(two, GONE, false);
  expect(await problemsOf(two)).toEqual([]);
  const refused = await one.cli("forget", "node/edge-1");
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("is connected to plane-");
  await stays(two, "edge-1");

  await back.kill();
  await told(one, GONE, true);
  expect(await two.mustCli("forget", "node/edge-1", "--dry-run")).toContain("nothing was changed");
  expect(await two.mustCli("forget", "node/edge-1")).toContain("node edge-1");
  await told(one, GONE, false);
  expect(await listed(one, "edge-1")).toBeUndefined();
  expect((await one.cli("forget", "node/edge-1")).code).toBe(5);
});
