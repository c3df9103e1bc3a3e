import { type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { KINDS, type Kind, titleOf } from "../../../src/domain/name.ts";
import { manifestSchema } from "../../../src/schema/json-schema.ts";
import { APPLIED_KINDS, FACTS } from "../../../src/schema/kinds/registry.ts";
import { descriptorOf, outputOnly } from "../../../src/schema/object-message.ts";
import { BAD_SHAPES, BAD_VALUES, badChecks, GOOD, given } from "../../support/bad-manifests.ts";
import { Authority } from "../../support/certificates.ts";
import { planeComplaints, schemaComplaints } from "../../support/manifest-schema.ts";
import { WHOLE_MANIFESTS } from "../../support/whole-manifests.ts";

const isApplied = (kind: Kind) => APPLIED_KINDS.some((one) => one === kind);
const manifest = (kind: Kind, json: object) => ({ kind: titleOf(kind), ...json });
const BAD = [
  ...BAD_VALUES.flatMap(([kind, json, field]) =>
    isApplied(kind) ? [[field, manifest(kind, given(kind, json))] as const] : [],
  ),
  ...BAD_SHAPES.flatMap(([kind, json, field]) =>
    isApplied(kind) && field !== "" ? [[field, manifest(kind, given(kind, json as object))] as const] : [],
  ),
  ...badChecks(new Authority().certificate).map(
    ([field, healthCheck]) => [field, manifest("service", { ...GOOD.service, healthCheck })] as const,
  ),
];

/** What the plane refuses and a JSON Schema cannot, or not in a way that anybody could read, and where that is in the corpus. */
const UNSAID: readonly (readonly [what: string, field: RegExp])[] = [
  ["how long a duration is, which may have any of several units", /(?:Timeout|timeout|interval|halfLife|forgetAfter)$/],
  [
    "what one field says of another",
    /(?:changingInterval|last|releaseBelow|maxHold|maximumRingSize|^hashOn|\.all|\.to|\.weight|rewrite\.prefix)$/,
  ],
  ["that two spellings mean the same", /(?:listeners|hosts|rules|to)\[1\]$/],
  [
    "what it takes a parser to see: addresses with ports, RE2, certificates",
    /(?:address|authority|host|serverName|regex|expectedBody|trustedCertificates)$/i,
  ],
  ["that a number is prime", /tableSize$/],
];

test("the schema refuses every bad manifest, but for what a schema cannot say", () => {
  expect(BAD.length).toBeGreaterThan(140);
  expect(BAD.filter(([, bad]) => planeComplaints(bad).length === 0)).toEqual([]);
  const unsaid = BAD.filter(([, bad]) => schemaComplaints(bad).length === 0).map(([field]) => field);
  expect(unsaid.filter((field) => !UNSAID.some(([, pattern]) => pattern.test(field)))).toEqual([]);
  expect(UNSAID.filter(([, pattern]) => !unsaid.some((field) => pattern.test(field)))).toEqual([]);
  expect(unsaid.length / BAD.length).toBeLessThan(0.32);
});

/** Other spellings that protobuf's JSON form permits: the plane takes them, and the schema teaches one spelling only. */
const OTHER_SPELLINGS: readonly (readonly [what: string, manifest: { readonly kind: string }])[] = [
  ["a field by its name in the proto", { kind: "Service", ...{ name: "shop", connect_timeout: "5s" } }],
  ["a field with nothing in it", { kind: "Service", ...{ name: "shop", policy: null } }],
  ["one of several that is empty", manifest("policy", { name: "shop", hashOn: [{ sourceIp: true, all: [] }] })],
  ["a value by its number", manifest("service", { name: "shop", protocol: 1 })],
  ["a value by the name of none", manifest("service", { name: "shop", protocol: "PROTOCOL_UNSPECIFIED" })],
  ["a number in quotes", manifest("backend", { ...GOOD.backend, weight: "5" })],
];

test.each(OTHER_SPELLINGS)("%s is taken by the plane, and no spelling that the schema teaches", (_, other) => {
  expect(planeComplaints(other)).toEqual([]);
  expect(schemaComplaints(other)).not.toEqual([]);
});

describe("one mistake is one complaint", () => {
  const shop = { name: "shop" };
  test.each([
    ["the kind", { kind: "Servcie", ...shop }],
    ["a field", { kind: "Service", ...shop, protcol: "HTTP" }],
    ["a field inside", { kind: "Service", ...shop, healthCheck: { http: { pth: "/" } } }],
    ["a value", { kind: "Service", ...shop, protocol: "HTTP3" }],
    ["a number", manifest("backend", { ...GOOD.backend, weight: 0 })],
    ["a missing field", manifest("listener", { name: "web", address: "0.0.0.0:80" })],
  ])("in %s", (_, bad) => {
    expect(schemaComplaints(bad)).toHaveLength(1);
  });
});

test("the schema says what a field is for and what it is by default", () => {
  const { oneOf = [] } = manifestSchema() as { oneOf?: { title: string; properties: object }[] };
  expect(oneOf.find(({ title }) => title === "Service")?.properties).toMatchObject({
    connectTimeout: { description: expect.stringContaining("How long opening a connection"), default: "5s" },
    protocol: { description: expect.stringContaining("`HTTP2`: HTTP/2 with prior knowledge"), default: "HTTP" },
    status: { readOnly: true },
  });
});

/** Fields of which nothing is to be said: any value is good. */
const FREE = ["Health.source", "Health.sequence", "Health.observeTime", "Health.expireTime"];

test("something is said of every field that a client can write, unless any value of its type is good", () => {
  const silent = KINDS.flatMap((kind) => silentFields(descriptorOf(kind), outputOnly(kind)));
  expect([...new Set(silent)].toSorted()).toEqual([...FREE].toSorted());
});

function silentFields(
  desc: DescMessage,
  hidden: readonly string[] = [],
  around: readonly DescMessage[] = [],
): string[] {
  if (around.includes(desc)) return [];
  const { fields: facts = {} } = FACTS.get(desc.typeName) ?? {};
  return desc.fields.flatMap((field) => {
    const { localName, message, scalar } = field;
    if (hidden.includes(localName)) return [];
    const isTime = message?.typeName.startsWith("google.protobuf.") === true;
    const isFree =
      field.fieldKind === "enum" || scalar === ScalarType.BOOL || (message && !isTime && field.fieldKind === "message");
    const own = isFree || facts[localName] !== undefined ? [] : [`${desc.name}.${localName}`];
    return message === undefined || isTime ? own : [...own, ...silentFields(message, [], [...around, desc])];
  });
}

test.each(WHOLE_MANIFESTS)("a whole $kind is taken by both", (good) => {
  expect(planeComplaints(good)).toEqual([]);
  expect(schemaComplaints(good)).toEqual([]);
});
