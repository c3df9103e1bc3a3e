import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KIND_ENTRIES } from "../../../src/cli/kinds.ts";
import { KINDS } from "../../../src/domain/name.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** What people call objects of a kind, where that is not the kind's own name. */
const ALSO: Readonly<Record<string, string>> = { health: "verdict" };

/** Where a page lists the kinds, each of them: from one text to the next one. */
const LISTS: readonly [page: string, from: string, to: string][] = [
  ["docs/concepts.md", "## Objects", "Ids are DNS labels"],
  ["docs/api.md", "## Verbs", "| many at once"],
  ["docs/operating.md", "What depends on a record follows from its kind", "What cannot be read is not overwritten"],
  ["src/README.md", "| Word ", "| node, proxy"],
];

test.each(LISTS)("%s lists every kind after %j", (page, from, to) => {
  const [, list = ""] = read(page).split(from);
  const [text = ""] = list.split(to);
  expect(text.length).toBeLessThan(list.length);
  const missing = KINDS.filter((kind) => !new RegExp(`\\b(?:${kind}|${ALSO[kind] ?? kind})`, "i").test(text));
  expect(missing).toEqual([]);
});

test("the page on operating has the short name of each kind that has one", () => {
  const [, list = ""] = read("docs/operating.md").split("by its short name: ");
  const [text = ""] = list.split(".\n");
  const told = Array.from(text.matchAll(/`(\w+)`/g), ([, name]) => name);
  const names = KIND_ENTRIES.flatMap(({ short }) => short ?? []);
  expect(told.toSorted()).toEqual(names.toSorted());
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
