import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { backend, manifest, service } from "../support/manifest.ts";
import { startPlane } from "../support/plane.ts";
import { metricOf, problemsOf, readinessOf } from "../support/plane-health.ts";

/** No file of the process may grow beyond it: what a disk does that is full, on any machine and for any user. */
const LIMIT_BYTES = 400_000;

test("a disk that is full shows in readiness, status and metrics, and all goes on by itself once there is room", async () => {
  await using plane = await startPlane({ enter: ["prlimit", `--fsize=${LIMIT_BYTES}:unlimited`] });
  await plane.mustApply(manifest(service("shop")));
  expect((await readinessOf(plane)).status).toBe(200);
  const annotations = { note: "x".repeat(1_000) };
  const many = Array.from({ length: 400 }, (_, i) => backend(`shop/s${i}`, `10.0.0.1:${i + 1}`, { annotations }));
  const refused = await plane.apply(manifest(...many));
  expect(refused.code).toBe(6);
  expect(refused.stderr).toMatch(/fairlead\.db: /);

  // What the plane writes itself may still find room, so that it is tried again until all of it is seen together.
  await eventually(
    async () => {
      const { code } = await plane.apply(manifest(...many));
      const [problems, { status }, up] = await Promise.all([
        problemsOf(plane),
        readinessOf(plane),
        metricOf(plane, "fairlead_store_up"),
      ]);
      return { code, status, up, told: problems.some(({ what }) => what === "store cannot be written") };
    },
    ({ code, status, up, told }) => code === 6 && status === 503 && up === 0 && told,
    { what: "readiness, metrics and status tell", timeoutMs: 30_000 },
  );
  expect((await plane.mustCli("get", "services")).includes("shop"), "the last state is served").toBe(true);

  execFileSync("prlimit", ["--pid", String(plane.pid()), "--fsize=unlimited"]);
  await eventually(
    () => readinessOf(plane),
    ({ status }) => status === 200,
    { what: "it is ready again by itself", timeoutMs: 20_000 },
  );
  await plane.mustApply(manifest(...many));
  expect(await metricOf(plane, "fairlead_store_up")).toBe(1);
});
