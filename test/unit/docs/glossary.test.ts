import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const [, glossary = ""] = read("src/README.md").split("## Glossary");
const rows = Array.from(glossary.matchAll(/^\| (.+?) +\| (.+?) +\|$/gm), ([, words = "", meaning]) => ({
  words: words.split(", "),
  meaning,
})).slice(2);

/** Words that were once used in two senses. */
const ONE_MEANING = ["verdict", "view", "resource", "record", "published", "publication", "refusal", "fence"];

const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...folder("docs"), ...folder("docs/decisions")];

/** In which pages a word has no place, since only its other sense would fit there; code in backticks has names of its own. */
const NO_PLACE: readonly [word: RegExp, because: string, isIn: (page: string) => boolean][] = [
  [/\bverdicts?\b/i, "a client answers with an ACK or a NACK", (page) => page.startsWith("docs/xds")],
  [
    /\bfences?\b/i,
    "what a lease gives is a fencing token",
    (page) => !/^docs\/xds|\/0013-a-stream-waits|\/0018-one-order/.test(page),
  ],
  [/\bviews?\b/i, "a view is what a derivation is for, which only its code speaks of", () => true],
];

/** The same for the names and comments of the code. */
const NO_PLACE_IN_CODE: readonly [word: RegExp, because: string, folders: readonly string[]][] = [
  [/verdict/i, "a client answers with an ACK or a NACK", ["xds"]],
  [
    /fence\b/i,
    "what a lease gives is a fencing token, and what a plan rests on a guard",
    ["store", "nats", "duties", "operations"],
  ],
  [/[a-z]view\b|\bviews?\b/i, "a view is what a derivation is for", ["xds", "fleet", "health", "api", "cli", "nats"]],
  [
    /refusal/i,
    "a refusal is a NACK's; anything else that is refused gets an error",
    ["admin", "nats", "outbound", "runtime"],
  ],
];

function folder(path: string): string[] {
  return readdirSync(join(root, path))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${path}/${name}`);
}

describe("the glossary", () => {
  test.each(ONE_MEANING)("has %s once", (word) => {
    expect(rows.filter(({ words }) => words.includes(word))).toHaveLength(1);
  });

  test("says of each word what it means, and of a word with several meanings what it is said of", () => {
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter(({ meaning }) => meaning === undefined || meaning === "")).toEqual([]);
    const all = rows.flatMap(({ words }) => words);
    expect(all.filter((word, i) => all.indexOf(word) !== i)).toEqual([]);
  });

  test.each(["CONTRIBUTING.md", "docs/concepts.md"])("is found from %s", (page) => {
    expect(read(page)).toContain("README.md#glossary)");
  });
});

test.each(NO_PLACE)("%s has no place where its other sense is meant: %s", (word, _, isIn) => {
  const found = pages.filter(isIn).flatMap((page) =>
    read(page)
      .replaceAll(/`[^`\n]*`|\]\([^)]*\)/g, "")
      .split("\n")
      .flatMap((line, i) => (word.test(line) ? [`${page}:${i + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});

test.each(NO_PLACE_IN_CODE)("%s has no place in code where its other sense is meant: %s", (word, _, folders) => {
  const files = folders.flatMap((name) =>
    readdirSync(join(root, "src", name), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => `src/${name}/${path}`),
  );
  const found = files.flatMap((file) =>
    [file, ...read(file).replaceAll("DataView", "").split("\n")].filter((line) => word.test(line)),
  );
  expect(found).toEqual([]);
});
