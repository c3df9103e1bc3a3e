import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KIND_ENTRIES } from "../../../src/cli/kinds.ts";
import { KINDS } from "../../../src/domain/name.ts";
import { APPLIED_KINDS, KINDS_WITH_HISTORY } from "../../../src/schema/kinds/registry.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** Where a table lists the kinds in its first column, and how it calls one that does not go by its own name. */
const TABLES: readonly [page: string, heading: string, also: Readonly<Record<string, string>>][] = [
  ["docs/concepts.md", "## Objects", {}],
  ["docs/api.md", "## Verbs", { health: "verdicts on backends" }],
  ["src/README.md", "## Glossary", {}],
];

test.each(TABLES)("the table of %s below %s has every kind", (page, heading, also) => {
  const [, below = ""] = read(page).split(heading);
  const [table = ""] = /^\|.*(?:\n\|.*)*/m.exec(below) ?? [];
  const words = Array.from(table.matchAll(/^\| *(.*?) *\|/gm), ([, cell = ""]) =>
    cell.toLowerCase().split(", "),
  ).flat();
  expect(KINDS.filter((kind) => !words.includes(also[kind] ?? kind))).toEqual([]);
});

test("the page on operating says of every kind what depends on one that cannot be read", () => {
  const [text = ""] = /What depends on a record follows from its kind(?:.+\n)+/.exec(read("docs/operating.md")) ?? [];
  expect(KINDS.filter((kind) => !text.includes(kind === "health" ? "verdict" : kind))).toEqual([]);
});

test("the page on operating has the short name of each kind that has one", () => {
  const [, list = ""] = read("docs/operating.md").split("by its short name: ");
  const [text = ""] = list.split(".\n");
  const told = Array.from(text.matchAll(/`(\w+)`/g), ([, name]) => name);
  const names = KIND_ENTRIES.flatMap(({ short }) => short ?? []);
  expect(new Set(told)).toEqual(new Set(names));
});

test("the kinds without history, and those that no manifest has, are those of which pages say so", () => {
  expect(KINDS.filter((kind) => !KINDS_WITH_HISTORY.some((each) => each === kind))).toEqual(["backend", "health"]);
  expect(read("docs/concepts.md")).toContain("Backends and health have no history");
  expect(KINDS.filter((kind) => !APPLIED_KINDS.some((each) => each === kind))).toEqual(["health"]);
  expect(read("docs/configuration.md")).toContain("Health is not part of manifests");
});

test("no comment of the API lists kinds, which would be forgotten when one is added", () => {
  const folder = "proto/fairlead/admin/v1";
  const any = `\`(?:${KINDS.join("|")})\``;
  const list = new RegExp(`${any}(?:, | or | and ).*${any}(?!, …)`);
  const comments = readdirSync(join(root, folder)).flatMap((file) =>
    Array.from(read(join(folder, file)).matchAll(/(?:^ *\/\/.*\n)+/gm), ([text]) => ({
      file,
      text: text.replaceAll(/\n? *\/\/ /g, " ").trim(),
    })),
  );
  expect(comments.length).toBeGreaterThan(100);
  expect(comments.filter(({ text }) => list.test(text))).toEqual([]);
});
