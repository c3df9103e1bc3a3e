import { beforeAll, expect, test } from "vitest";
import { TextDocument } from "vscode-languageserver-textdocument";
import { stringify } from "yaml";
import { getLanguageService, type LanguageService } from "yaml-language-server";
import { manifestSchema } from "../../../src/schema/json-schema.ts";
import { WHOLE_MANIFESTS } from "../../support/whole-manifests.ts";

/* What an editor makes of the schema, by the YAML language server that editors start. */

let service: LanguageService;

beforeAll(() => {
  service = getLanguageService({
    schemaRequestService: () => Promise.reject(new Error("nothing is fetched")),
    workspaceContext: { resolveRelativePath: (path) => path },
  });
  service.configure({
    validate: true,
    hover: true,
    completion: true,
    schemas: [{ uri: "file:///manifest.schema.json", fileMatch: ["*"], schema: manifestSchema() }],
  });
});

let documents = 0;

/** The server remembers documents by their names. */
function document(text: string): TextDocument {
  return TextDocument.create(`file:///manifest-${documents++}.yaml`, "yaml", 1, text);
}

/** A manifest with `|` where the cursor is. */
function typed(text: string) {
  const at = text.indexOf("|");
  const whole = document(text.replace("|", ""));
  return { whole, position: whole.positionAt(at) };
}

const SHOP = "kind: Service\nname: shop\n";

test.each([
  ["the kinds", "kind: |", ["Service", "Policy", "Backend", "Listener", "Route", "Fleet"], []],
  ["the fields of its kind", `${SHOP}|`, ["protocol", "connectTimeout", "healthCheck"], ["hosts", "weight", "fleet"]],
  ["the fields of what a field holds", `${SHOP}healthCheck:\n  |`, ["http", "tcp", "grpc", "interval"], ["protocol"]],
  ["the values of a field", `${SHOP}protocol: |`, ["HTTP", "HTTP2"], []],
  ["the fields of an element", "kind: Route\nname: shop\nrules:\n  - |", ["match", "to", "retry"], ["hosts"]],
])("an editor offers %s", async (_, text, offered, others) => {
  const { whole, position } = typed(text);
  const { items } = await service.doComplete(whole, position, false);
  const labels = items.map(({ label }) => label);
  expect(labels).toEqual(expect.arrayContaining(offered));
  expect(labels.filter((label) => others.includes(label))).toEqual([]);
});

test.each([
  [`${SHOP}connectTime|out: 5s\n`, "How long opening a connection to a backend may take. 10 ms to 60 s, default 5 s."],
  [`${SHOP}healthCheck:\n  http:\n    expectedBo|dy: ok\n`, "must match somewhere in the first 16 KiB of the body"],
  ["ki|nd: Listener\nname: web\n", "Where the proxies of a fleet accept traffic."],
])("an editor explains what is under the cursor in %j", async (text, explained) => {
  const { whole, position } = typed(text);
  expect(await service.doHover(whole, position)).toMatchObject({
    contents: { value: expect.stringContaining(explained) },
  });
});

const TO_SHOP = "rules:\n  - to: [{ service: shop }]\n";
test.each([
  ["kind: Servcie\nname: shop\n", "Value must be", 1],
  ["name: shop\n", 'Missing property "kind".', 1],
  [`${SHOP}protcol: HTTP\n`, "Property protcol is not allowed.", 3],
  [`${SHOP}protocol: HTPT\n`, 'Valid values: "HTTP", "HTTP2"', 3],
  [`${SHOP}healthCheck:\n  http:\n    pth: /\n`, "Property pth is not allowed.", 5],
  [`${SHOP}healthCheck: {}\n`, 'Missing property "http".', 3],
  ["kind: Backend\nname: shop/a\naddress: 10.0.0.1:80\nweight: 0\n", "below the minimum of 1", 4],
  ["kind: Listener\nname: web\nfleet: edge\naddress: localhost:80\n", "does not match the pattern", 4],
  [
    `kind: Route\nname: a\nlisteners: [web]\nhosts: [a]\n${TO_SHOP}    match: { path: { prefx: / } }\n`,
    "Property prefx",
    7,
  ],
  [`${SHOP}---\n${SHOP}polcy: shop\n`, "Property polcy is not allowed.", 6],
])("an editor says one thing of the one mistake in %j", async (text, message, line) => {
  const found = await service.doValidation(document(text), false);
  const complaints = found.map((one) => ({ message: one.message, line: one.range.start.line + 1 }));
  expect(complaints).toEqual([{ message: expect.stringContaining(message), line }]);
});

test.each(WHOLE_MANIFESTS)("an editor says nothing of a whole $kind", async (manifest) => {
  expect(await service.doValidation(document(stringify(manifest)), false)).toEqual([]);
});
