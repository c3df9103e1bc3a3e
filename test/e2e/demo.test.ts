import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { leftByDemos } from "../support/demo.ts";
import { eventually } from "../support/eventually.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openTerminal } from "../support/terminal.ts";

// What it does when nobody disturbs it is in readme.test.ts.

const root = join(import.meta.dirname, "../..");
const demo = join(root, "scripts/demo.ts");

test.each(["Envoy", "control plane", "shop: 3 backends", "envoy edge-1", "now"])(
  "Ctrl-C while it is at %j stops and removes everything",
  async (step) => {
    using folder = tempFolder();
    const before = leftByDemos();
    using terminal = openTerminal({ command: `node ${demo}`, cwd: root, columns: 60, file: join(folder.path, "out") });
    await eventually(
      () => (terminal.running() ? terminal.seen() : []),
      (lines) => lines.some((line) => line.startsWith(`  … ${step}`) || line.startsWith(`  ${step} `)),
      { what: step, timeoutMs: 60_000, explain: terminal.output },
    );
    terminal.type("\x03");
    expect(await terminal.exited, terminal.output()).toBe(0);
    const [end] = terminal.seen().filter((line) => line.startsWith("  stopped"));
    expect(end).toBe("  stopped, and removed what it wrote");
    expect(terminal.output()).not.toContain("✗");
    expect(leftByDemos()).toEqual(before);
  },
);

test("closing its terminal does the same", async () => {
  using folder = tempFolder();
  const before = leftByDemos();
  {
    using terminal = openTerminal({ command: `node ${demo}`, cwd: root, columns: 60, file: join(folder.path, "out") });
    const runs = () => terminal.seen().some((line) => line.startsWith("  now "));
    await eventually(runs, Boolean, { what: "the demo runs", timeoutMs: 60_000, explain: terminal.output });
  }
  await eventually(leftByDemos, (left) => left.join() === before.join(), { what: "all of it is gone" });
  expect(leftByDemos()).toEqual(before);
});

test("Ctrl-C ends the fetch of an Envoy as well, and nothing of it stays", async () => {
  using folder = tempFolder();
  const before = leftByDemos();
  const [programs, cache, fetching] = ["bin", "cache", "fetching"].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(programs);
  // In the place of one that downloads for as long as one likes.
  writeFileSync(join(programs, "python3"), `#!/bin/sh\necho $$ > ${fetching}\nexec sleep 600\n`);
  chmodSync(join(programs, "python3"), 0o755);
  const { FAIRLEAD_ENVOY: _, ...environment } = process.env;
  const env = { ...environment, PATH: `${programs}:/usr/bin:/bin`, XDG_CACHE_HOME: cache };
  const command = `${process.execPath} ${demo}`;
  using terminal = openTerminal({ command, cwd: root, columns: 60, file: join(folder.path, "out"), env });
  await eventually(() => existsSync(fetching), Boolean, { what: "a fetch", explain: terminal.output });
  const pid = readFileSync(fetching, "utf8").trim();
  terminal.type("\x03");
  expect(await terminal.exited, terminal.output()).toBe(0);
  expect(terminal.output()).toContain("fetching Envoy");
  await eventually(
    () => existsSync(`/proc/${pid}`),
    (runs) => !runs,
    { what: "the fetch ends" },
  );
  const downloads = () => readdirSync(cache, { recursive: true }).filter((name) => String(name).includes("/.envoy-"));
  await eventually(downloads, ({ length }) => length === 0, { what: "what was fetched is removed" });
  expect(leftByDemos()).toEqual(before);
});

test("it says what it takes, and refuses what it does not know", async () => {
  using folder = tempFolder();
  const run = async (...args: readonly string[]) => {
    const logFile = join(folder.path, "log");
    rmSync(logFile, { force: true });
    const child = startChild({ name: "the demo", program: process.execPath, args: [demo, ...args], logFile });
    return { code: await child.exited, said: child.log() };
  };
  const help = await run("--help");
  expect(help).toMatchObject({ code: 0, said: expect.stringMatching(/^Usage: npm run demo/) });
  for (const args of [["--onec"], ["now"], ["--once=5"]]) {
    const refused = await run(...args);
    expect(refused.code).toBe(2);
    expect(refused.said).toContain("Usage: npm run demo");
  }
});

test("it leaves alone a folder of its name that it did not make", async () => {
  const before = leftByDemos();
  const folders = Array.from({ length: 10 }, (_, slot) => join(root, slot === 0 ? "demo" : `demo-${slot + 1}`));
  const made = folders.filter((path) => !existsSync(path));
  for (const path of made) mkdirSync(path);
  try {
    using folder = tempFolder();
    const logFile = join(folder.path, "log");
    const child = startChild({ name: "the demo", program: process.execPath, args: [demo, "--once"], logFile });
    expect(await child.exited).toBe(1);
    expect(child.log()).toMatch(/demo\S* exists, and no demo made it: move it away, and start again/);
    expect(made.filter((path) => !existsSync(path))).toEqual([]);
  } finally {
    for (const path of made) rmSync(path, { recursive: true });
  }
  expect(leftByDemos()).toEqual(before);
});
