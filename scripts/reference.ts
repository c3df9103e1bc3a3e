/**
 * Writes the generated parts of docs/configuration.md and docs/manifest.schema.json. A test fails when they are not current.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { manifestSchema } from "../src/schema/json-schema.ts";
import { objectSections } from "./reference/object-fields.ts";
import { settingsTable } from "./reference/settings.ts";

const docs = join(import.meta.dirname, "../docs");

/** The files that have generated parts, as they ought to be. */
export function currentReference(): ReadonlyMap<string, string> {
  const page = join(docs, "configuration.md");
  const text = fill(fill(readFileSync(page, "utf8"), "settings", settingsTable()), "objects", objectSections());
  return new Map([
    [page, text],
    [join(docs, "manifest.schema.json"), `${JSON.stringify(manifestSchema(), null, 2)}\n`],
  ]);
}

/** Puts text between `<!-- NAME: … -->` and `<!-- end of NAME -->`. */
function fill(page: string, name: string, text: string): string {
  const marks = new RegExp(`(<!-- ${name}: [^\\n]* -->\\n)[\\s\\S]*?(<!-- end of ${name} -->)`);
  if (!marks.test(page)) throw new Error(`docs/configuration.md has no marks for ${name}`);
  return page.replace(marks, (_, before: string, after: string) => `${before}\n${text}\n\n${after}`);
}

if (import.meta.main) {
  for (const [path, text] of currentReference()) writeFileSync(path, text);
}
