import { expect, test } from "vitest";
import { manifestSchema } from "../../../src/schema/json-schema.ts";
import { manifestKind, messageFromJson, messageToJson } from "../../../src/schema/object-json.ts";
import { BAD_SHAPES } from "../../support/bad-manifests.ts";

test("the JSON form of a message comes back as it was", () => {
  const json = {
    name: "shop",
    listeners: ["web"],
    hosts: ["shop.example"],
    rules: [{ match: { path: { prefix: "/api" } }, to: [{ service: "shop", weight: 95 }], timeout: "2.500s" }],
  };
  const read = messageFromJson("route", json);
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  expect(messageToJson("route", read.message)).toEqual(json);
});

test.each(BAD_SHAPES)("a %s of %j is refused at %s", (kind, json, field, part) => {
  const read = messageFromJson(kind, json);
  if (read.ok) throw new Error("it was read");
  expect(read.violations).toMatchObject([{ field, message: expect.stringContaining(part) }]);
});

test("a kind that no manifest has is refused with the nearest one", () => {
  expect(manifestKind("Service")).toEqual({ ok: true, kind: "service" });
  expect(manifestKind("Sevrice")).toMatchObject({ ok: false, message: expect.stringContaining('"Service"') });
  expect(manifestKind("Health")).toMatchObject({ ok: false });
});

test("the schema for editors names every kind and refers to nothing it does not define", () => {
  const schema = manifestSchema();
  expect(schema["oneOf"]).toHaveLength(6);
  const defined = Object.keys(schema["$defs"] as object);
  const references = JSON.stringify(schema).matchAll(/#\/\$defs\/([\w.]+)/g);
  for (const [, name] of references) expect(defined).toContain(name);
});
