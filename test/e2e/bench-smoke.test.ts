import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const main = join(import.meta.dirname, "../../bench/main.ts");

test("the fan-out bench runs: ours, a peer and the floor, and the whole product on either store, by one command", {
  timeout: 600_000,
}, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [main, "fanout", "--smoke"]);
  for (const ratio of ["fairlead / linear", "embedded / linear", "nats / linear"]) expect(stdout).toContain(ratio);
  expect(stdout).toContain("then all served");
  expect(stdout).not.toContain("did not finish");
});

test("the growth bench runs and finds what each thing costs", { timeout: 600_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [main, "growth", "--smoke"]);
  expect(stdout).toContain("cpuUsPerPush");
  expect(stdout).toContain("changes/s");
  expect(stdout).toContain("one route changes, beside");
});
