import { toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatName, KINDS, parseName, parseStoreKey, storeKey } from "../../../src/domain/name.ts";
import { fieldChanges } from "../../../src/schema/field-changes.ts";
import { messageFromJson, messageToJson } from "../../../src/schema/object-json.ts";
import { descriptorOf } from "../../../src/schema/object-message.ts";
import { parseObject } from "../../../src/schema/parse-object.ts";
import { decodeStored, encodeStored } from "../../../src/schema/stored-object.ts";
import { manifestsOf } from "../../support/arbitrary-state.ts";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const kinds = fc.constantFrom(...KINDS);
const named = fc
  .tuple(kinds, fc.constantFrom("default", "p-1"), label, label, label)
  .map(([kind, project, a, b, id]) => {
    const ids = kind === "backend" ? [a, b] : kind === "health" ? [a, b, `reporter:${id}`] : [a];
    return { kind, parts: { project, ids } };
  });

test("names round trip through their text and through the store's keys", () => {
  fc.assert(
    fc.property(named, ({ kind, parts }) => {
      const name = formatName(kind, parts);
      expect(parseName(kind, name)).toEqual({ ok: true, parts });
      expect(parseStoreKey(storeKey(kind, name))).toEqual({ kind, name });
    }),
  );
});

test("an object that was accepted round trips through JSON and through the store", () => {
  const objects = kinds.chain((kind) => fc.tuple(fc.constant(kind), manifestsOf(kind)));
  fc.assert(
    fc.property(objects, ([kind, { kind: _kind, ...json }]) => {
      const read = messageFromJson(kind, json);
      const parsed = read.ok ? parseObject(kind, read.message) : read;
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.violations));
      const again = messageFromJson(kind, messageToJson(kind, parsed.message));
      expect(again).toEqual({ ok: true, message: parsed.message });
      const key = storeKey(kind, parsed.object.name);
      const stored = decodeStored(key, encodeStored(kind, parsed.message), { epoch: 1, position: 1 });
      expect(stored.name).toBe(parsed.object.name);
      expect(fieldChanges(kind, stored.message, parsed.message)).toEqual([]);
      expect(parseObject(kind, parsed.message)).toEqual(parsed);
    }),
  );
});

test("whatever JSON comes in, the answer is a message or its violations, and so is what is parsed from it", () => {
  const words = fc.constantFrom(
    "name",
    "rules",
    "match",
    "to",
    "labels",
    "address",
    "hashOn",
    "nodes",
    "meta",
    "weight",
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.dictionary(words, tie("json")),
      fc.array(tie("json")),
    ),
  }));
  fc.assert(
    fc.property(kinds, json, (kind, value) => {
      const read = messageFromJson(kind, value);
      const parsed = read.ok ? parseObject(kind, read.message) : read;
      if (read.ok) toBinary(descriptorOf(kind), read.message);
      expect(parsed.ok || parsed.violations.length > 0).toBe(true);
    }),
  );
});
