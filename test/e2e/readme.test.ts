import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { leftByDemos } from "../support/demo.ts";
import { eventually } from "../support/eventually.ts";
import { type Block, blocksOf } from "../support/markdown.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openTerminal, type Terminal } from "../support/terminal.ts";
import { send } from "../support/traffic.ts";

const root = join(import.meta.dirname, "../..");
const COLUMNS = 80;

test("the tour of README.md works as it is written, on a terminal, beside a second demo", async () => {
  using folder = tempFolder();
  const before = leftByDemos();
  const [start, ...blocks] = blocksOf("README.md", "A five-minute tour");
  // What the lockfile says is installed already.
  expect(start).toEqual({ language: "sh", text: "npm ci && npm run demo\n" });
  using demo = openTerminal({
    command: "npm run demo",
    cwd: root,
    columns: COLUMNS,
    file: join(folder.path, "terminal"),
  });
  const explain = () => demo.output();
  await eventually(
    () => (demo.running() ? demo.output() : "ended"),
    (output) => output.includes("Ctrl-C") || output === "ended",
    { what: "the demo runs", timeoutMs: 90_000, explain },
  );
  expect(demo.output(), explain()).toMatch(/traffic .*(?:shop-\d 3\d %\s+){3}/);

  // Holds a port of the second demo too, unless that is taken already.
  const other = createServer()
    .on("error", () => undefined)
    .listen(18_011, "127.0.0.1");
  const second = startChild({
    name: "a second demo, without a terminal",
    program: process.execPath,
    args: ["scripts/demo.ts", "--once"],
    cwd: root,
    logFile: join(folder.path, "second.log"),
  });
  const tour = startTour(demo.output());
  const envoy = await walk(tour, blocks, demo);
  await eventually(
    () => tour.run("./fairlead nodes").then(({ stdout }) => stdout),
    (stdout) => /edge-2 (?:.* ack ){4}/.test(stdout),
    { what: "the second Envoy has its listener", timeoutMs: 30_000, everyMs: 200 },
  );
  expect(envoy.exitCode).toBe(null);
  envoy.kill("SIGINT");

  expect(await second.exited, second.log()).toBe(0);
  other.close();
  expect(second.log()).toMatch(/ports +\d0 higher, since \d+ and \d+.* are taken\n/);
  expect(second.log()).toMatch(/(?:shop-\d 3\d %\s+){3}/);
  expect(demo.seen().filter((line) => line.length > COLUMNS)).toEqual([]);

  demo.type("\x03");
  expect(await demo.exited, explain()).toBe(0);
  expect(demo.output()).toContain("stopped, and removed what it wrote");
  expect((await send({ url: tour.url })).status).toBe(0);
  expect(leftByDemos()).toEqual(before);
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Tour {
  readonly url: string;
  readonly folder: string;
  /** Runs commands in a shell, with the addresses that the demo has where its ports are others. */
  run(commands: string): Promise<Ran>;
  start(commands: string): ChildProcess;
}

/** As a reader would go on from what the demo printed. */
function startTour(printed: string): Tour {
  const found = (pattern: RegExp) => pattern.exec(printed)?.[1] ?? "";
  const [url, xds, admin] = [/traffic +(\S+)/, /xDS (\S+),/, /admin API (\S+)/].map(found);
  const folder = found(/files +(\S+)\//);
  if (url === undefined) throw new Error("the demo printed no address");
  const asPrinted = (commands: string) =>
    commands
      .replaceAll("http://127.0.0.1:10000", url)
      .replaceAll(/(?<= )demo\/|^demo\//gm, `${folder}/`)
      .replaceAll("bootstrap ", xds === "127.0.0.1:18000" ? "bootstrap " : `bootstrap --xds ${xds} `);
  const start = (commands: string) =>
    spawn("bash", ["-ec", asPrinted(commands)], {
      cwd: root,
      env: { ...process.env, FAIRLEAD_SERVER: admin },
      stdio: ["ignore", "pipe", "pipe"],
    });
  const run = async (commands: string) => {
    const child = start(commands);
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await ended, stdout, stderr };
  };
  return { url, folder, run, start };
}

/** Runs what the blocks say, in their order; the last command of all is left running. */
async function walk(tour: Tour, blocks: readonly Block[], demo: Terminal): Promise<ChildProcess> {
  const commands = blocks.filter(({ language }) => language === "sh").map((block) => block.text);
  const shown = blocks.filter(({ language }) => language === "").map((block) => block.text);
  const yaml = blocks.filter(({ language }) => language === "yaml").map((block) => block.text);
  const [look, shift, mistake, back, override, drain, connect, ...others] = commands;
  expect(others).toEqual([]);
  if (connect === undefined) throw new Error("README.md has fewer steps than it had");

  const looked = await tour.run(look ?? "");
  expect(looked).toMatchObject({ code: 0, stderr: expect.not.stringContaining("fairlead") });
  expect(looked.stdout).toMatch(/ 1 connected, 1 up to date.*\n *edge-1 .*\nshop\/shop-3 .*\nshop-\d\n$/s);

  const shifted = await tour.run(shift ?? "");
  expect(shifted).toMatchObject({ code: 0, stderr: "" });
  expect(shifted.stdout).toMatch(/Reaches 1 prox.*acknowledged by 1 of 1/s);
  await eventually(
    () => demo.seen(),
    (lines) => lines.some((line) => /next-1 \d+ %/.test(line)),
    {
      what: "the first terminal shows that next-1 answers",
      timeoutMs: 10_000,
      explain: demo.output,
    },
  );
  expect(yaml).toEqual([expect.any(String)]);
  expect(readFileSync(join(root, tour.folder, "next.yaml"), "utf8")).toContain(yaml[0]);

  const mistaken = await tour.run(mistake ?? "");
  expect(mistaken.code).toBe(1);
  expect([(mistaken.stdout + mistaken.stderr).replaceAll(tour.folder, "demo")]).toEqual(shown);

  expect(await tour.run(back ?? "")).toMatchObject({ code: 0, stderr: "" });
  const overridden = await tour.run(override ?? "");
  expect(overridden).toMatchObject({ code: 0, stderr: "" });
  expect(overridden.stdout).toContain("disk full");
  expect(await tour.run(drain ?? "")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("safe to stop shop-2"),
  });
  return tour.start(connect);
}
