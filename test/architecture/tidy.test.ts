import { basename, extname } from "node:path";
import { describe, expect, test } from "vitest";
import { KINDS } from "../../src/domain/name.ts";
import { machineAccess } from "./machine-access.ts";
import { moduleMemory } from "./module-memory.ts";
import { parseSource, readSources, readText, repositoryFiles } from "./source-file.ts";

/** Files that name what they forbid, and data, in which any path may be a request's. */
const NOT_PROSE = /^(?:package-lock\.json|test\/golden\/.*\.json|test\/architecture\/tidy\.test\.ts)$/;

const VAGUE_NAMES = ["common", "helper", "helpers", "index", "misc", "shared", "types", "util", "utils"];

const LEFTOVERS: Readonly<Record<string, RegExp>> = {
  "a task left open": /\b(?:TODO|FIXME|XXX|HACK)\b/,
  "a test that is switched off, or the only one switched on":
    /\b(?:test|it|describe|suite)\b[\w.]*\.(?:only|skip|skipIf|runIf|todo)\b/,
  "a path of one machine": /(?<![\w.$}])\/(?:work|root|home\/\w+|Users\/\w+)\//,
};

const OPENS_A_CONNECTION =
  /\bfetch\(|import \{[^}]*\b(?:connect|createConnection|get)\b[^}]*\} from "node:(?:net|tls|https?)"/;

const LISTENS_BARE = /(?<!\battempt)\.(?:on|once)\(/;

const PACKAGE_REGISTRY = /https?:\/\/[^/\s"'`]*(?:registry|artifactory|nexus|pypi|goproxy|proxy\.golang)/;

/** Writes of its own, JSON and YAML made by others than `data-text.ts`, and messages whose lines are not a list of them. */
const RAW_OUTPUT =
  /\bstd(?:out|err)\.write\(|\bconsole\.|JSON\.stringify\(|toJsonString\(|\bstringify\(|new CliFailure\([^;]*\\n/;

const ASKS_FOR_ONE_KIND = new RegExp(`\\bkind [!=]== "(?:${KINDS.join("|")})"|\\bcase "(?:${KINDS.join("|")})":`);

const tracked = repositoryFiles();
const texts = tracked.filter((path) => !/\.(?:png|svg|gif|ico|woff2?)$/.test(path));

describe("the code base is tidy", () => {
  test("clock, chance, environment and console are reached through src/runtime only", () => {
    const allowed = (path: string) => /^src\/(?:runtime\/|cli\/|main\.ts$)/.test(path);
    expect(
      readSources()
        .filter(({ path }) => !allowed(path))
        .flatMap(machineAccess),
    ).toEqual([]);
  });

  test("no module of a pure folder, nor a use case, remembers anything: who calls it more than once hands that in", () => {
    const pure = readSources().filter(({ path }) =>
      /^src\/(?:domain|schema|resources|operations|api|xds\/protocol)\//.test(path),
    );
    expect(pure.flatMap(moduleMemory)).toEqual([]);
  });

  test("what configuration asks for is connected to through src/outbound only", () => {
    const others = readSources().filter(({ path }) => !path.startsWith("src/outbound/"));
    expect(others.filter(({ text }) => OPENS_A_CONNECTION.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test("a check listens to its connection behind the boundary of its attempt only", () => {
    const probers = readSources().filter(({ path }) => /^src\/health\/\w+-prober\.ts$/.test(path));
    expect(probers.length).toBeGreaterThanOrEqual(3);
    expect(probers.filter(({ text }) => LISTENS_BARE.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test("commands write through the doors that make text of what they are given", () => {
    const doors = /^src\/cli\/(?:io|progress|data-text)\.ts$/;
    expect(
      readSources()
        .filter(({ path, text }) => path.startsWith("src/cli/") && !doors.test(path) && RAW_OUTPUT.test(text))
        .map(({ path }) => path),
    ).toEqual([]);
  });

  test("an instant is made in one place, where it is made whole", () => {
    const makes = ({ path, text }: { path: string; text: string }) =>
      path !== "src/runtime/instant.ts" && text.includes("timestampFromMs(");
    expect(
      readSources()
        .filter(makes)
        .map(({ path }) => path),
    ).toEqual([]);
  });

  test("what is peculiar to one kind of object is said in its entry, and nobody else asks which kind it is", () => {
    const others = readSources().filter(({ path }) => !path.startsWith("src/schema/kinds/"));
    expect(others.filter(({ text }) => ASKS_FOR_ONE_KIND.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test("nothing is left over", () => {
    const found = texts
      .filter((path) => !NOT_PROSE.test(path))
      .flatMap((path) => leftovers(readText(path)).map((what) => `${path}: ${what}`));
    expect(found).toEqual([]);
  });

  test("no file names the host of a package registry", () => {
    expect(texts.filter((path) => !isThisTest(path) && PACKAGE_REGISTRY.test(readText(path)))).toEqual([]);
  });

  test("file names say what is inside, in kebab case", () => {
    expect(tracked.filter((path) => /\.(?:ts|mjs)$/.test(path)).filter(isBadlyNamed)).toEqual([]);
  });
});

describe("the rules can fail", () => {
  test.each([
    "const at = Date.now();",
    "const at = new Date();",
    "const dice = Math.random();",
    "setTimeout(() => {}, 1);",
    "const later = setInterval;",
    "const { HOME } = process.env;",
    'console.log("hello");',
    "const started = performance.now();",
    "await fetch(url, { signal: AbortSignal.timeout(5) });",
    'import { randomUUID } from "node:crypto";',
    'import { setTimeout as sleep } from "node:timers/promises";',
  ])("%s", (text) => {
    expect(machineAccess(parseSource("src/domain/a.ts", text))).not.toEqual([]);
  });

  test("names, words in comments and strings, and a given instant pass", () => {
    const text = `
      // Date.now() and console are for others.
      const day = new Date(atMs);
      clock.setTimeout(run);
      const text = "process.env";
      const table = { console: 1, process() {} };
      import { createHash } from "node:crypto";
    `;
    expect(machineAccess(parseSource("src/domain/a.ts", text))).toEqual([]);
  });

  test.each([
    'import { connect } from "node:net";',
    'import { type Socket, connect as to } from "node:tls";',
    "fetch(url)",
  ])("%s opens a connection", (text) => {
    expect(OPENS_A_CONNECTION.test(text)).toBe(true);
  });

  test.each(['kind === "fleet" ? a : b', 'if (id.kind !== "health") return;', 'switch (kind) { case "route": }'])(
    "%s asks for one kind",
    (text) => {
      expect(ASKS_FOR_ONE_KIND.test(text)).toBe(true);
    },
  );

  test("a bare listener is told from one behind the boundary", () => {
    expect(LISTENS_BARE.test('socket.once("data", run)')).toBe(true);
    expect(LISTENS_BARE.test('attempt.on(socket, "data", run)')).toBe(false);
  });

  test.each([
    "// TODO: later",
    "test.skip('x', () => {});",
    "describe.only('x', () => {});",
    "test.concurrent.skipIf(a)('x', () => {});",
    // Put together here, so that this file does not hold what it forbids.
    `const file = "${["", "root", "secret"].join("/")}";`,
    `see ${["", "work", "main", "x.ts"].join("/")}`,
  ])("leftover: %s", (text) => {
    expect(leftovers(text)).toHaveLength(1);
  });

  test("folders of the product that look like a machine's pass", () => {
    expect(leftovers("see docs/work/README.md and https://example.org/home/x")).toEqual([]);
  });

  test.each(["src/domain/utils.ts", "src/domain/KeyedDiff.ts", "src/domain/keyed_diff.ts", "src/index.ts"])(
    "name: %s",
    (path) => {
      expect(isBadlyNamed(path)).toBe(true);
    },
  );

  test.each([
    "io.stdout.write(name);",
    "console.log(name);",
    "printText(io, JSON.stringify(node));",
    'new CliFailure(EXIT.failed, why + "\\nnothing was changed");',
  ])("output: %s", (text) => {
    expect(RAW_OUTPUT.test(text)).toBe(true);
  });

  test.each([
    "let count = 0;",
    "export const known = new WeakMap<Target, string>();",
    "const known: Places = new WeakMap();",
    "const known = new Map<DescMessage, readonly Part[]>();",
    "const known: Map<string, string> = new Map();",
    "const memory = { made: new Set() };",
    "const partsOf = remembered(new Map(), (desc) => desc.fields);",
  ])("memory of a module: %s", (text) => {
    expect(moduleMemory(parseSource("src/domain/a.ts", text))).toHaveLength(1);
  });

  test("tables, empty ones included, and memory that is made for a caller pass", () => {
    const text =
      "const NONE: ReadonlySet<string> = new Set(); const WORDS = new Map([[1, 'a']]); const make = () => new Map();";
    expect(moduleMemory(parseSource("src/domain/a.ts", text))).toEqual([]);
  });

  test("the host of a registry", () => {
    expect(PACKAGE_REGISTRY.test('"resolved": "https://registry.example.org/a.tgz"')).toBe(true);
  });
});

function isThisTest(path: string): boolean {
  return path === "test/architecture/tidy.test.ts";
}

function leftovers(text: string): string[] {
  return Object.entries(LEFTOVERS)
    .filter(([, pattern]) => pattern.test(text))
    .map(([what]) => what);
}

function isBadlyNamed(path: string): boolean {
  const name = basename(path, extname(path));
  return VAGUE_NAMES.includes(name) || !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*$/.test(name);
}
