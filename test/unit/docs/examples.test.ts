import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { parseManifests, problemLines } from "../../../src/cli/manifest.ts";
import { parseObject } from "../../../src/schema/parse-object.ts";
import { schemaComplaints } from "../../support/manifest-schema.ts";

const root = join(import.meta.dirname, "../../..");
const pages = ["README.md", ...readdirSync(join(root, "docs")).map((name) => join("docs", name))];
const manifests = pages
  .filter((page) => page.endsWith(".md"))
  .flatMap((page) => {
    const blocks = readFileSync(join(root, page), "utf8").matchAll(/^```yaml\n(kind:.*?)^```$/gms);
    return [...blocks].map(([, text = ""]) => ({ file: page, text }));
  });

test("there are examples", () => {
  expect(manifests.length).toBeGreaterThan(1);
});

test.each(manifests)("a manifest that $file shows is one that is taken:\n$text", (manifest) => {
  const { objects, problems } = parseManifests([manifest]);
  expect(problemLines(problems)).toEqual([]);
  for (const { any } of objects) {
    const { case: kind, value } = any.object ?? {};
    expect(parseObject(kind as never, value as never)).toMatchObject({ ok: true });
  }
  for (const document of parseAllDocuments(manifest.text)) expect(schemaComplaints(document.toJS())).toEqual([]);
});
