import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { send } from "../support/traffic.ts";

test("the demo serves requests through a real Envoy, and Ctrl-C ends and removes everything", async () => {
  using folder = tempFolder();
  const foldersBefore = demoFolders();
  const demo = startChild({
    name: "the demo",
    program: process.execPath,
    args: [join(import.meta.dirname, "../../scripts/demo.ts")],
    logFile: join(folder.path, "demo.log"),
  });
  const explain = () => demo.logTail();
  await eventually(
    () => (demo.running() ? demo.log() : "ended"),
    (log) => log.includes("Ctrl-C") || log === "ended",
    { what: "the demo runs", timeoutMs: 90_000, explain },
  );
  expect(demo.log(), explain()).toMatch(/(?:shop-\d 3\d %\s+){3}of 300 requests/);
  const url = /traffic\s+(\S+)/.exec(demo.log())?.[1] ?? "";
  expect((await send({ url })).status).toBe(200);

  demo.signal("SIGINT");
  expect(await demo.exited, explain()).toBe(0);
  expect((await send({ url })).status).toBe(0);
  expect(demoFolders()).toEqual(foldersBefore);
});

function demoFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("fairlead-demo-"));
}
