import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startBackend } from "../../support/backend.ts";
import { startChild } from "../../support/child.ts";
import { startEnvoy } from "../../support/envoy.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { send } from "../../support/traffic.ts";
import { adsBootstrap } from "./ads-bootstrap.ts";

const ROOT = join(import.meta.dirname, "../../..");

it("the example of the library guide serves a real Envoy as it stands there", async () => {
  await using backend = await startBackend("shop");
  const [xds, listener] = [await freePort(), await freePort()];
  const [, example = ""] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, "docs/xds.md"), "utf8")) ?? [];
  expect(example.trim().split("\n").length).toBeLessThanOrEqual(32);
  const program = example
    .replace("fairlead/xds", join(ROOT, "src/xds/server/library.ts"))
    .replace("9001", String(backend.port))
    .replace("10000", String(listener))
    .replace("18000", String(xds));
  const folder = mkdtempSync(join(ROOT, "test/e2e/xds/guide-"));
  const file = join(folder, "example.ts");
  writeFileSync(file, program);
  const child = startChild({ name: "example", program: process.execPath, args: [file], logFile: join(folder, "log") });
  try {
    const bootstrap = adsBootstrap({ xds: `127.0.0.1:${xds}`, nodeId: "n1", cluster: "demo" });
    await using envoy = await startEnvoy({ bootstrap });
    await envoy.ready();
    const url = `http://127.0.0.1:${listener}/`;
    const answer = await eventually(
      () => send({ url }),
      ({ status }) => status === 200,
      { what: "the backend answers", explain: () => child.logTail() },
    );
    expect(answer.backend).toBe("shop");
  } finally {
    await child.stop(2000);
    rmSync(folder, { recursive: true });
  }
});
