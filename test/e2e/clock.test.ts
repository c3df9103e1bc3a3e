import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { backend, manifest, service } from "../support/manifest.ts";
import { startPlane } from "../support/plane.ts";
import { tempFolder } from "../support/temp-folder.ts";

const DAYS_MS = 400 * 86_400_000;
const DRAIN_MS = 3_000;

/** The clock of a plane's machine, which is ahead by what a file says: at the start, and again at each SIGUSR2. */
const CLOCK = `
  import { readFileSync } from "node:fs";
  const file = new URL("ahead", import.meta.url);
  const now = Date.now;
  const read = () => Number(readFileSync(file, "utf8"));
  let ahead = read();
  process.on("SIGUSR2", () => { ahead = read(); });
  Date.now = () => now() + ahead;
`;

test("drains last as long as they are to, while a clock jumps ahead by 400 days, and after a write under such a clock", async () => {
  using folder = tempFolder();
  const hook = join(folder.path, "clock.mjs");
  writeFileSync(hook, CLOCK);
  const setAhead = (ms: number) => writeFileSync(join(folder.path, "ahead"), String(ms));
  setAhead(0);
  await using plane = await startPlane({ nodeArgs: ["--import", hook] });
  const objects = ["s1", "s2"].map((id, i) => backend(`shop/${id}`, `127.0.0.1:${i + 1}`));
  await plane.mustApply(manifest(service("shop", { drainTime: `${DRAIN_MS / 1000}s` }), ...objects));
  const drained = async (id: string) => {
    const startedAt = performance.now();
    await plane.mustCli("drain", `shop/${id}`, "--allow-removal");
    return async () => {
      await eventually(
        () => plane.cli("get", "backends", "-o", "json"),
        ({ stdout }) => !stdout.includes(`"${id}"`) && !stdout.includes(`/${id}"`),
        { what: `${id} is removed`, timeoutMs: 20_000 },
      );
      return performance.now() - startedAt;
    };
  };

  const first = await drained("s1");
  setAhead(DAYS_MS);
  process.kill(plane.pid(), "SIGUSR2");
  await plane.mustApply(manifest(service("other")));
  const tookMs = await first();
  expect(tookMs).toBeGreaterThan(DRAIN_MS * 0.95);
  expect(tookMs).toBeLessThan(DRAIN_MS * 3);
  expect(await plane.mustCli("status")).toContain("behind this machine's");

  await plane.stop();
  await plane.restart();
  await plane.mustApply(manifest(service("another")));
  await plane.stop();
  setAhead(0);
  await plane.restart();
  const second = await (await drained("s2"))();
  expect(second).toBeGreaterThan(DRAIN_MS * 0.95);
  expect(second).toBeLessThan(DRAIN_MS * 3);
  const status = await plane.mustCli("status");
  expect(status).toContain("store's clock is 400 d ahead of this machine's");
  expect(status).toContain("last write 400 d ahead of this machine's clock");
  const metrics = await (await fetch(`http://${plane.addresses.http}/metrics`)).text();
  expect(metrics).toMatch(/^fairlead_store_clock_offset_seconds 3455\d{4}/m);
});
