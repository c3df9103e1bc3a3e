import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { displayWidth } from "../../src/cli/display-width.ts";
import { RawClient } from "../protocol/xds/raw-client.ts";
import { eventually } from "../support/eventually.ts";
import { backend, fleet, listener, manifest, service } from "../support/manifest.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { type Screen, screenOf } from "../support/screen.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openTerminal, type Terminal } from "../support/terminal.ts";

const root = join(import.meta.dirname, "../..");
const LISTENERS = "type.googleapis.com/envoy.config.listener.v3.Listener";
const WIDTHS = [60, 80, 200] as const;
const RED = "\u001B[31m";
const BOLD = "\u001B[1m";

interface Told {
  readonly what: string;
  readonly since: string;
}

let plane: Plane;
let client: RawClient;
const folder = tempFolder();
let opened = 0;

beforeAll(async () => {
  plane = await startPlane();
  await plane.mustApply(
    manifest(
      fleet("edge"),
      listener("web", 10_080),
      service("shop", { drainTime: "3s" }),
      service("checkout-of-a-long-name", { policy: "there-is-no-such-policy" }),
      backend("shop/shop-1", "127.0.0.1:9001"),
      backend("shop/shop-2", "127.0.0.1:9002", { locality: { region: "europe-west", zone: "europe-west-1a" } }),
      backend("shop/shop-3", "127.0.0.1:9003"),
    ),
  );
  const why = ["--reason", "the disk is full, and it takes until tomorrow"];
  await plane.mustCli(...["health", "shop/shop-2", "--override", "unhealthy", "--for", "1h", "--actor", "ann"], ...why);
  client = new RawClient(plane.addresses.xds);
  for (const [id, cluster] of [
    ["edge-of-the-network-7", "edge"],
    ["stray", "nowhere"],
  ] as const) {
    const stream = client.delta();
    stream.send({ node: { id, cluster }, typeUrl: LISTENERS });
    if (cluster !== "edge") continue;
    stream.send({ typeUrl: LISTENERS, responseNonce: (await stream.next()).nonce });
  }
  await eventually(
    () => plane.mustCli("nodes"),
    (nodes) => /edge-of.* ack /.test(nodes) && nodes.includes("stray"),
    { what: "both proxies are there" },
  );
});
afterAll(async () => {
  client?.[Symbol.dispose]();
  await plane?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Opens a terminal of a person in Vienna, with a command on it. */
function open(args: string, columns: number, more: NodeJS.ProcessEnv = {}): Terminal {
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...own } = process.env;
  const env = { ...own, TERM: "xterm-256color", TZ: "Europe/Vienna", FAIRLEAD_SERVER: plane.addresses.admin, ...more };
  const command = `${process.execPath} bin/fairlead.js ${args}`;
  return openTerminal({ command, cwd: root, columns, env, file: join(folder.path, `terminal-${opened++}`) });
}

/** What the command wrote: the first and the last line are by the program that made the terminal. */
function written(terminal: Terminal): string {
  return terminal
    .output()
    .replace(/^.*\n/, "")
    .replace(/\r?\nScript done.*\s*$/, "");
}

async function ran(args: string, columns: number, more?: NodeJS.ProcessEnv) {
  using terminal = open(args, columns, more);
  const code = await terminal.exited;
  const output = written(terminal);
  return { code, output, lines: stripVTControlCharacters(output).split(/\r?\n/) };
}

/** Opens it, waits for what it is to show, types Ctrl-C, and returns what is to be seen then. */
async function interrupted(args: string, columns: number, isThere: (output: string) => boolean) {
  using terminal = open(args, columns);
  const options = { what: `${args} shows what it does`, timeoutMs: 30_000 };
  await eventually(() => written(terminal), isThere, options);
  const before = written(terminal);
  terminal.type("\x03");
  const code = await terminal.exited;
  return { code, output: written(terminal), screen: screenOf(before.slice(before.lastIndexOf("\u001B[H")), columns) };
}

describe.each(WIDTHS)("on a terminal of %i columns", (columns) => {
  test.each(["status", "nodes", "get backends", "explain backend shop/shop-2"])("%s fits, in colours", async (args) => {
    const { code, output, lines } = await ran(args, columns);
    expect(code, output).toBe(0);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.filter((line) => displayWidth(line) > columns)).toEqual([]);
    expect(output).toContain("\u001B[3");
    expect(lines.join("\n")).not.toMatch(/\d{4}-\d{2}-\d{2}T\d{2}:/);
  });

  test("columns give way in their order, and the reason is seen", async () => {
    const [[head = "", ...rows], [nodesHead = ""]] = await Promise.all([
      ran("get backends", columns).then(({ lines }) => lines),
      ran("nodes", columns).then(({ lines }) => lines),
    ]);
    const all = ["NAME", "TARGET", "WEIGHT", "LOCALITY", "PRIORITY", "STATE", "ELIGIBLE", "WHY"];
    const left = { 60: ["NAME", "STATE", "ELIGIBLE", "WHY"], 80: all.filter((one) => !/PRI|LOC/.test(one)), 200: all };
    expect(head.trim().split(/ {2,}/)).toEqual(left[columns]);
    const why = rows.find((row) => row.startsWith("shop/shop-2")) ?? "";
    const until = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:CES?T|GMT\+[12])`;
    const words = "the disk is full, and it takes until tomorrow";
    if (columns === 200) expect(why).toMatch(new RegExp(`${words} by ann, until ${until}$`));
    else expect(why).toMatch(/no +\S.{20,}…$/);
    expect(nodesHead).toMatch(columns === 60 ? /^NODE +CDS +EDS +LDS +RDS +LAG +PROBLEM$/ : /^NODE .* LAG .* PROBLEM$/);
  });
});

test("a proxy gets nothing since its fleet went, not since it came", async () => {
  await plane.mustApply(manifest(fleet("late")));
  client.delta().send({ node: { id: "late-1", cluster: "late" }, typeUrl: LISTENERS });
  const [node] = await eventually(
    async () => JSON.parse(await plane.mustCli("nodes", "--fleet", "late", "-o", "json")) as { since: string }[],
    (nodes) => nodes.length === 1,
    { what: "the proxy has come" },
  );
  const goneAt = Date.now();
  await plane.mustCli("delete", "fl/late");
  const problem = await eventually(
    async () => {
      const { problems } = JSON.parse(await plane.mustCli("status", "-o", "json")) as { problems: Told[] };
      return problems.find(({ what }) => what === "node late-1 gets nothing");
    },
    (found) => found !== undefined,
    { what: "it gets nothing" },
  );
  expect(Date.parse(node?.since ?? "")).toBeLessThan(goneAt);
  expect(Date.parse(problem?.since ?? "")).toBeGreaterThanOrEqual(goneAt);
});

test("status --watch is drawn in place, and Ctrl-C leaves what was seen and the cursor below it", async () => {
  const frames = (output: string) => output.split("\u001B[H").length - 1;
  const { code, output, screen } = await interrupted(
    "status --watch",
    80,
    (text) => frames(text) >= 2 && text.endsWith("\u001B[J"),
  );
  expect(code).toBe(130);
  for (const erased of ["\u001B[2J", "\u001B[3J"]) expect(output).not.toContain(erased);
  const once = screenOf((await ran("status", 80)).output, 80);
  const words = ({ lines }: Screen) => lines.map((line) => line.replaceAll(/\d+(?:\.\d+)? (?:ms|s|min)\b/g, "T"));
  expect(words(screen).map((line) => line.replace(/ {2,}/g, "  "))).toEqual(
    words(once).map((line) => line.replace(/ {2,}/g, "  ")),
  );
  expect(screen).toMatchObject({ isCursorSeen: true, cursor: { row: screen.lines.length, column: 0 } });
});

test("the progress of drain --wait is drawn over itself, and is gone in the end", async () => {
  const { code, output } = await ran("drain shop/shop-3 --wait --on-disconnected skip", 60);
  expect(code, output).toBe(0);
  expect(output.split("\r\u001B[K").filter((part) => part.includes("░")).length).toBeGreaterThan(2);
  for (const drawn of output.split("\r\u001B[K").flatMap((part) => part.split(/\r?\n/))) {
    expect(displayWidth(stripVTControlCharacters(drawn))).toBeLessThanOrEqual(60);
  }
  const { lines, cursor } = screenOf(output, 60);
  expect(lines.at(-1)).toBe("  removed       safe to stop shop-3");
  expect(lines.join("\n")).not.toContain("░");
  expect(cursor.column).toBe(0);
});

test("Ctrl-C ends a wait and not the drain that it waits for", async () => {
  const { code, output } = await interrupted("drain shop/shop-1 --wait --allow-removal", 80, (text) =>
    text.includes("░"),
  );
  expect(code).toBe(130);
  expect(output).not.toContain("\u001B[?25l");
  expect(await plane.mustCli("get", "backends")).not.toMatch(/shop-1 .* ACTIVE/);
});

test("colours are left out where they are not wanted, or nobody sees them", async () => {
  const [asked, unwanted, dumb, chosen] = await Promise.all([
    ran("status", 80),
    ran("status", 80, { NO_COLOR: "1" }),
    ran("status", 80, { TERM: "dumb" }),
    ran("status --color never", 80),
  ]);
  expect(asked.output).toContain(BOLD);
  for (const { output, lines } of [unwanted, dumb, chosen]) {
    expect(output).not.toContain("\u001B");
    expect(lines[0]).toContain("plane ");
  }
  const refused = await ran("get service/no-such-service", 80);
  expect(refused).toMatchObject({ code: 5, output: expect.stringContaining(RED) });
  expect(await plane.mustCli("status")).not.toContain("\u001B");
  expect(await plane.mustCli("status", "--color", "always")).toContain(BOLD);
});
