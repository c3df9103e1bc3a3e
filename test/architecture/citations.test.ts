/** Whoever reads a rule, a law, a workload, a path or a link can look it up. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { complaints, lawsOf, RULE_BOOK, rulesOf, type Shelf, workloadsOf } from "./citations.ts";
import { readText, repositoryFiles } from "./source-file.ts";

const root = join(import.meta.dirname, "../..");
const tracked = repositoryFiles();

/** Data, and this test, which names what it forbids. */
const NOT_READ = /\.(?:json|sum|png|svg|pem)$|^LICENSE$|^test\/architecture\/citations\./;

const texts = tracked.filter((path) => !NOT_READ.test(path)).map((path) => ({ path, text: readText(path) }));
const pages = texts.filter(({ path }) => path.endsWith(".md"));

/** Envoy's protos, as they come with a package. */
const upstream = readdirSync(join(root, "node_modules/@grpc/grpc-js-xds/deps"), { recursive: true, encoding: "utf8" });
const ends = new Set([...tracked, ...upstream].flatMap(endsOf));
const ignored = readText(".gitignore")
  .split("\n")
  .filter((line) => /^[\w./-]+$/.test(line))
  .map((line) => line.replace(/\/$/, ""));

const laws = lawsOf(readText("docs/concepts.md"));
const rules = rulesOf(readText(RULE_BOOK));
const workloads = workloadsOf(readText("docs/performance.md"));

const shelf: Shelf = {
  rules: new Set(rules),
  laws: new Set(laws),
  workloads: new Set(workloads),
  hasPath: (path) =>
    ends.has(path) ||
    ignored.some((each) => path === each || path.startsWith(`${each}/`)) ||
    existsSync(join(root, path)),
};

/** `a/b/c.ts`: itself, `b/c.ts` and `c.ts`; and the same of its folders. */
function endsOf(path: string): string[] {
  const parts = path.split("/");
  const all: string[] = [];
  for (let to = parts.length; to > 0; to--) {
    for (let from = 0; from < to; from++) all.push(parts.slice(from, to).join("/"));
  }
  return all;
}

test("every rule, law, workload and path that a text names is there, and rules bear their prefix", () => {
  expect(texts.flatMap((text) => complaints(text, shelf))).toEqual([]);
});

test("the books have what they are to have, once", () => {
  expect(new Set(rules).size).toBe(rules.length);
  expect(rules.length).toBeGreaterThan(100);
  expect(laws).toEqual(Array.from({ length: 19 }, (_, i) => String(i + 1)));
  expect(workloads).toEqual(Array.from({ length: 8 }, (_, i) => `W${i + 1}`));
});

test("of each rule that a server has to keep, the engine's page says where it is kept, or why not", () => {
  const section = readText("docs/xds.md").split("## Where each rule is kept")[1] ?? "";
  const told = new Set(
    [...section.matchAll(/([CDRSW])(\d+)(?:–[CDRSW](\d+))?/g)].flatMap(([, group, first, last = first]) =>
      Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => `${group}${Number(first) + i}`),
    ),
  );
  expect(rules.filter((id) => !/^[EP]/.test(id) && !told.has(id))).toEqual([]);
});

describe("pages", () => {
  test("every link leads to a file that is there, and to a heading of it", () => {
    expect(pages.flatMap(deadLinks)).toEqual([]);
  });

  test("each is found from README.md, a decision in its folder", () => {
    const found = new Set<string>();
    const follow = (path: string) => {
      const page = pages.find((each) => each.path === path);
      if (page === undefined || found.has(path)) return;
      found.add(path);
      for (const { file } of linksOf(page)) follow(file);
    };
    follow("README.md");
    const expected = pages.filter(({ path }) => /^[^/]+\.md$|^docs\/[^/]+\.md$|^src\//.test(path));
    expect(expected.filter(({ path }) => !found.has(path)).map(({ path }) => path)).toEqual([]);
  });

  test("a decision has a status and a date", () => {
    const decisions = pages.filter(({ path }) => path.startsWith("docs/decisions/"));
    const status = /^# (\d+)\. .+\n\n\*\*Status\.\*\* (?:Accepted|Superseded by \[.+\]\(.+\)), \d{4}-\d{2}-\d{2}[.;]/;
    const wrong = decisions.filter(
      ({ path, text }) => Number(status.exec(text)?.[1]) !== Number(path.slice("docs/decisions/".length).slice(0, 4)),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

interface Page {
  readonly path: string;
  readonly text: string;
}

/** Of a page, outside of its code blocks: those within the repository. */
function linksOf({ path, text }: Page) {
  const words = text.replaceAll(/^```.*?^```$/gms, (block) => block.replaceAll(/[^\n]/g, " "));
  return [...words.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(({ 1: target = "", index }) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [to = "", anchor] = target.split("#");
    const line = text.slice(0, index).split("\n").length;
    return [{ target, line, file: to === "" ? path : normalize(join(dirname(path), to)), anchor }];
  });
}

function deadLinks(page: Page): string[] {
  return linksOf(page)
    .filter(({ file, anchor }) => {
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(file).has(anchor);
    })
    .map(({ target, line }) => `${page.path}:${line}: there is no ${target}`);
}

const anchorsByPage = new Map<string, ReadonlySet<string>>();

/** As GitHub makes them of headings. */
function anchorsOf(path: string): ReadonlySet<string> {
  const known = anchorsByPage.get(path);
  if (known !== undefined) return known;
  const headings = readText(path).matchAll(/^#+ (.+)$/gm);
  const anchors = new Set(
    [...headings].map(([, text = ""]) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(/\s/g, "-"),
    ),
  );
  anchorsByPage.set(path, anchors);
  return anchors;
}

describe("it can fail", () => {
  const told = (text: string, path = "src/domain/a.ts") => complaints({ path, text }, shelf);

  test.each([
    ["// one\n// a client that forgets (xds R99)", "src/domain/a.ts:2: there is no rule xds R99"],
    ["/** Again (xds R3,\n * R98). */", "src/domain/a.ts:2: there is no rule xds R98"],
    ["// as law 20 says", "src/domain/a.ts:1: there is no law 20"],
    ["// laws 1 and 21", "src/domain/a.ts:1: there is no law 21"],
    ["// the cost of workload W9", "src/domain/a.ts:1: there is no workload W9"],
    ["// see `domain/nothing.ts`", "src/domain/a.ts:1: there is no domain/nothing.ts"],
    ["// see docs/nothing.md", "src/domain/a.ts:1: there is no docs/nothing.md"],
  ])("%j", (text, complaint) => {
    expect(told(text)).toEqual([complaint]);
  });

  test.each(["// sent again (R16)", 'it("R16, C3: is sent again", run);', "| C1–C3 | `wire.ts` |"])(
    "bare: %s",
    (text) => {
      expect(told(text).length).toBeGreaterThan(0);
    },
  );

  test.each([
    "// sent again (xds R16, R21), for whoever is asked (xds C1-C3)",
    "// kept (laws 1, 2 and 18)",
    'const path = "/caf%C3%A9"; const key = "a=D9"; // p99 is P99',
    'const file = "src/domain/nothing.ts";',
    "// see `domain/errors.ts`, `errors.ts`, `src/domain/`, `discovery.proto`, `bench/results/`",
  ])("passes: %s", (text) => {
    expect(told(text)).toEqual([]);
  });

  test("W8 is a workload in the bench, and a rule nowhere without its prefix", () => {
    expect(told("// of W8", "bench/fanout/a.ts")).toEqual([]);
    expect(told("// of W8")).toHaveLength(1);
  });

  test("a link", () => {
    const page = {
      path: "docs/a.md",
      text: "\n[a](b.md) [b](concepts.md#nothing) [c](concepts.md#laws) [d](https://e.f)",
    };
    expect(deadLinks(page)).toEqual(["docs/a.md:2: there is no b.md", "docs/a.md:2: there is no concepts.md#nothing"]);
  });
});
