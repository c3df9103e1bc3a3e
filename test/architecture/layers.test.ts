import { describe, expect, test } from "vitest";
import { parseSource, readSources, type SourceFile } from "./source-file.ts";

/** What the pure parts may take from outside; the others may take anything. */
const PURE_BASICS = ["node:assert", "node:net", "ipaddr.js", "re2js"];
const PROTOBUF = "@bufbuild/protobuf";

interface Layer {
  /** The layers of ours, or single files of them, that it may import, besides itself. */
  readonly ours: readonly string[];
  /** The packages and modules of Node that it may import; anything when absent. */
  readonly outside?: readonly string[];
}

const BELOW_ADAPTERS = ["domain", "gen", "runtime", "schema", "resources", "xds/protocol", "store", "fleet"];
const USE_CASES = ["operations", "control", "duties"];

/** The table of imports. A layer is the first folder below `src/`; `xds` is two of them. */
const LAYERS: Readonly<Record<string, Layer>> = {
  domain: { ours: [], outside: PURE_BASICS },
  "xds/protocol": { ours: [], outside: ["node:assert"] },
  "xds/content": { ours: ["gen", "xds/protocol/resource.ts"], outside: ["node:crypto", PROTOBUF] },
  "xds/lint": { ours: ["gen", "xds/protocol"], outside: ["node:net", PROTOBUF] },
  gen: { ours: [] },
  runtime: { ours: ["domain/printable.ts"] },
  schema: {
    ours: ["domain", "gen", "runtime/instant.ts", "store/revision.ts"],
    outside: [...PURE_BASICS, PROTOBUF, "node:crypto"],
  },
  resources: {
    ours: ["domain", "gen", "xds/content", "xds/protocol/resource.ts", "xds/protocol/resource-types.ts"],
    outside: [...PURE_BASICS, PROTOBUF, "node:crypto"],
  },
  outbound: { ours: ["domain", "runtime"] },
  store: { ours: ["domain", "gen", "runtime"] },
  fleet: { ours: ["domain", "gen", "runtime", "store", "xds/protocol"] },
  operations: { ours: [...BELOW_ADAPTERS, "control"] },
  control: { ours: BELOW_ADAPTERS },
  duties: { ours: [...BELOW_ADAPTERS, "operations", "control"] },
  nats: { ours: BELOW_ADAPTERS },
  health: { ours: [...BELOW_ADAPTERS, ...USE_CASES, "outbound"] },
  "xds/server": { ours: ["gen", "runtime", "xds/content", "xds/protocol", "xds/lint"] },
  api: {
    ours: ["domain", "gen", "runtime", "schema", "store", "fleet", "operations"],
    outside: [PROTOBUF, "node:crypto"],
  },
  admin: { ours: ["domain", "gen", "runtime", "schema", "operations/context.ts", "api"] },
  dashboard: { ours: ["domain", "runtime", "api"] },
  app: {
    ours: [...BELOW_ADAPTERS, ...USE_CASES, "outbound", "nats", "health", "xds/server", "api", "admin", "dashboard"],
  },
  cli: {
    ours: [
      "gen",
      "runtime",
      "schema",
      "api/error-table.ts",
      ...["name", "printable", "service", "health-check"].map((noun) => `domain/${noun}.ts`),
    ],
  },
  "main.ts": { ours: ["app", "cli", "runtime"] },
};

describe("imports point down", () => {
  const sources = readSources();

  test("every layer imports only what its line of the table allows", () => {
    expect(sources.flatMap(forbiddenImports)).toEqual([]);
  });

  test("no file imports itself through others", () => {
    expect(findCycle(sources)).toBeUndefined();
  });

  test("only a stream and its two doors change what is known of a type: all others read it", () => {
    const changing = sources.filter(({ imports }) => imports.some(({ names }) => names.includes("TypeState")));
    const known = ["delta.ts", "sotw.ts", "stream-types.ts", "stream.ts"].map((file) => `src/xds/protocol/${file}`);
    expect(known).toEqual(expect.arrayContaining(changing.map(({ path }) => path)));
    expect(changing.length).toBeGreaterThan(0);
  });

  test("what is observed is answered with plain values: only the events of watches are messages, encoded once for all", () => {
    const makesMessages = ({ text }: SourceFile) => /^import \{[^}]*\} from "[^"]*\/gen\//m.test(text);
    const observing = sources.filter(({ path }) => path.startsWith("src/operations/observing/"));
    expect(observing.filter(makesMessages).map(({ path }) => path)).toEqual([
      "src/operations/observing/watch-events.ts",
    ]);
  });

  test("the library leads to the engine, the machine and messages that are not the product's, and to nothing else", () => {
    const reached = [...reachedFrom(LIBRARY, sources)];
    expect(reached).toContain("src/xds/protocol/stream.ts");
    expect(reached.filter(isOfProduct)).toEqual([]);
  });
});

describe("the rules can fail", () => {
  test.each([
    ["src/domain/a.ts", 'import { b } from "../store/b.ts";'],
    ["src/domain/a.ts", 'import type { B } from "../gen/b_pb.ts";'],
    ["src/domain/a.ts", 'export { b } from "../runtime/b.ts";'],
    ["src/domain/a.ts", 'import { create } from "@bufbuild/protobuf";'],
    ["src/xds/protocol/a.ts", 'import { b } from "../server/b.ts";'],
    ["src/admin/a.ts", 'const b = await import("../nats/b.ts");'],
    ["src/api/a.ts", 'import { status } from "@grpc/grpc-js";'],
    ["src/unknown/a.ts", "export const a = 1;"],
  ])("%s with %s", (path, text) => {
    expect(forbiddenImports(parseSource(path, text))).toHaveLength(1);
  });

  test("an import of the own layer, and one that the table allows, pass", () => {
    const text =
      'import { b } from "./b.ts"; import { c } from "../domain/c.ts"; import { equal } from "node:assert/strict";';
    expect(forbiddenImports(parseSource("src/schema/a.ts", text))).toEqual([]);
  });

  test("a library that comes to the product through a file that it may import", () => {
    const files = [
      parseSource(LIBRARY, 'import { a } from "../../runtime/a.ts";'),
      parseSource("src/runtime/a.ts", 'import type { B } from "../gen/fairlead/admin/v1/b_pb.ts";'),
    ];
    expect([...reachedFrom(LIBRARY, files)].filter(isOfProduct)).toEqual(["src/gen/fairlead/admin/v1/b_pb.ts"]);
  });

  test("a cycle over three files, one of its imports a type", () => {
    const files = [
      parseSource("src/domain/a.ts", 'import { b } from "./b.ts";'),
      parseSource("src/domain/b.ts", 'import type { C } from "./c.ts";'),
      parseSource("src/domain/c.ts", 'export * from "./a.ts";'),
    ];
    expect(findCycle(files)).toEqual(["src/domain/a.ts", "src/domain/b.ts", "src/domain/c.ts", "src/domain/a.ts"]);
  });
});

function forbiddenImports({ path, imports }: SourceFile): string[] {
  const name = layerOf(path);
  const layer = LAYERS[name];
  if (layer === undefined) return [`${path}: the layer ${name} is not in the table`];
  return imports
    .filter(({ target }) => {
      if (!target.startsWith("src/")) return layer.outside?.some((allowed) => isWithin(target, allowed)) === false;
      const theirs = layerOf(target);
      return theirs !== name && !layer.ours.includes(theirs) && !layer.ours.includes(target.slice("src/".length));
    })
    .map(({ target }) => `${path} imports ${target}`);
}

function layerOf(path: string): string {
  const [, first = "", second = ""] = path.split("/");
  return first === "xds" ? `${first}/${second}` : first;
}

/** Whether `target` is the module `allowed` or a part of it, such as `node:assert/strict`. */
function isWithin(target: string, allowed: string): boolean {
  return target === allowed || target.startsWith(`${allowed}/`);
}

/** What `fairlead/xds` exports. */
const LIBRARY = "src/xds/server/library.ts";

/** Whatever is of ours and neither of the engine, nor below it. */
function isOfProduct(path: string): boolean {
  return path.startsWith("src/gen/fairlead/") || (path.startsWith("src/") && !/^src\/(?:xds|runtime|gen)\//.test(path));
}

/** All that a file imports, itself or through others; of generated files nothing is known but their names. */
function reachedFrom(start: string, files: readonly SourceFile[]): ReadonlySet<string> {
  const imports = new Map(files.map((file) => [file.path, file.imports]));
  const reached = new Set([start]);
  for (const path of reached) for (const { target } of imports.get(path) ?? []) reached.add(target);
  return reached;
}

/** The files of one cycle, in order, the first repeated at the end. */
function findCycle(files: readonly SourceFile[]): string[] | undefined {
  const targets = new Map(files.map((file) => [file.path, file.imports.map(({ target }) => target)]));
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (finished.has(path)) return undefined;
    for (const target of targets.get(path) ?? []) {
      const cycle = visit(target, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(path);
    return undefined;
  };
  for (const path of targets.keys()) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
