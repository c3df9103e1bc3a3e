/**
 * Writes the generated parts of docs/configuration.md, docs/manifest.schema.json, docs/output.schema.json and the examples in envoy/. A test fails when they are not current.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootstrapYaml } from "../src/cli/bootstrap-config.ts";
import { outputSchema } from "../src/cli/output-schema.ts";
import { manifestSchema } from "../src/schema/json-schema.ts";
import { objectSections } from "./reference/object-fields.ts";
import { settingsTable } from "./reference/settings.ts";

const docs = join(import.meta.dirname, "../docs");
const envoy = join(import.meta.dirname, "../envoy");

/** The files that have generated parts, as they ought to be. */
export function currentReference(): ReadonlyMap<string, string> {
  const page = join(docs, "configuration.md");
  const text = fill(fill(readFileSync(page, "utf8"), "settings", settingsTable()), "objects", objectSections());
  return new Map([
    [page, text],
    [join(docs, "manifest.schema.json"), `${JSON.stringify(manifestSchema(), null, 2)}\n`],
    [join(docs, "output.schema.json"), `${JSON.stringify(outputSchema(), null, 2)}\n`],
    [join(envoy, "edge-delta.yaml"), bootstrapExample(false)],
    [join(envoy, "edge-sotw.yaml"), bootstrapExample(true)],
  ]);
}

function bootstrapExample(sotw: boolean): string {
  const command = `fairlead bootstrap --node-id edge-1 --fleet edge${sotw ? " --sotw" : ""}`;
  const options = {
    nodeId: "edge-1",
    fleet: "edge",
    xds: [{ host: "127.0.0.1", port: 18_000 }],
    adminSocket: "/run/fairlead/edge-1/admin.sock",
    sotw,
  };
  return `# Made by: ${command}\n# Start with: envoy -c this-file.yaml\n${bootstrapYaml(options)}`;
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
