import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const main = join(import.meta.dirname, "../../bench/main.ts");

test("the fan-out bench runs: ours, a peer and the floor, by one command", { timeout: 600_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [main, "fanout", "--smoke"]);
  expect(stdout).toContain("ours / linear");
  expect(stdout).not.toContain("did not finish");
});
