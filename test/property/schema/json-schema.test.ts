import fc from "fast-check";
import { expect, test } from "vitest";
import { planeComplaints, schemaComplaints } from "../../support/manifest-schema.ts";
import { WHOLE_MANIFESTS } from "../../support/whole-manifests.ts";

/*
 * No false refusal: what the schema refuses, the plane refuses, too. The mutations make none of the other spellings that
 * `test/unit/schema/json-schema.test.ts` lists.
 */

type Json = Record<string, unknown>;

const WORDS = [
  ...["", "a", "A", "a b", "é", "a\nb", "x_y", "x".repeat(64), "x".repeat(300), "k".repeat(5000)],
  ...["0s", "1ms", "1.5s", "0.5ms", "25h", "400d", "99999999d", "1h30m", "-1s", "5 s"],
  ...["/", "/a", "//", "/../", "/a/.", "/?", "/#", "/%2f", `/${"a".repeat(1100)}`, `/${"é".repeat(60)}`],
  ...["a/b", "services/a", "projects/p/services/a", "projects/p/a", "listeners/a", "projects/p"],
  ...["*", "*.a", "a.*", "a.", "[::1]", "*.[::1]", "a:80", "localhost", "Shop.Example"],
  ...["10.0.0.1:0", "10.0.0.1:00080", "10.0.0.1:99999", "010.0.0.1:80", "[fe80::1%a]:1", "[::ffff:1.2.3.4]:80", "h:80"],
  ...["10.0.0.0/8", "::/0", "::ffff:0:0/96", "10.0.0.1", "/run/a\nb"],
  ...[
    "(",
    "a{100}",
    "[[:alpha:]]+",
    "CONNECT",
    "connect",
    "GET",
    "M-SEARCH",
    "5xx",
    ":path",
    ":Authority",
    "Host",
    "trailer",
  ],
  ...["-----BEGIN CERTIFICATE-----", "cGluZw", "cGlu\nZw==", "AAAA".repeat(342), "A".repeat(1367), "RANDOM", "LEDS"],
];
const text = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.string().filter((one) => !/^-?\d+$/.test(one)),
);
const number = fc.constantFrom(
  -1,
  0,
  1,
  2,
  3,
  50,
  51,
  99,
  100,
  101,
  599,
  600,
  1000,
  1001,
  65_535,
  65_536,
  1_000_001,
  2 ** 32,
  1.5,
);
const MEMBERS = [
  "http",
  "tcp",
  "grpc",
  "exact",
  "prefix",
  "regex",
  "present",
  "header",
  "sourceIp",
  "all",
  "address",
  "pipe",
  "weight",
  "hosts",
];

const mutation = fc.record({
  at: fc.nat(),
  how: fc.constantFrom("drop", "text", "number", "shape", "grow", "twice", "move"),
  text,
  number,
  shape: fc.constantFrom<unknown>(true, false, 4711, [], {}, ["a"], { a: "b" }, [{}]),
  more: fc.nat({ max: 300 }),
  member: fc.constantFrom(...MEMBERS),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never;

function mutate(manifest: Json, { at, how, text, number, shape, more, member }: Mutation): void {
  const places = placesIn(manifest);
  const [holder, key] = places[at % places.length] ?? [manifest, "name"];
  const before = holder[key];
  if (how === "drop") drop(holder, key);
  else if (how === "text" && typeof before !== "boolean") holder[key] = text;
  else if (how === "number" && typeof before !== "string") holder[key] = number;
  else if (how === "shape") holder[key] = structuredClone(shape);
  else if (how === "twice" && Array.isArray(holder)) holder.push(structuredClone(before));
  else if (how === "move" && !Array.isArray(holder)) holder[member] = structuredClone(before);
  else if (how === "grow" && Array.isArray(before))
    before.push(...Array.from({ length: more }, () => before[0] ?? text));
  else if (how === "grow" && typeof before === "object" && before !== null)
    for (let i = 0; i < more; i++) (before as Json)[i === 0 ? text : `k${i}`] = text;
}

function drop(holder: Json, key: string): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

/** Everything in a manifest except its kind, by what holds it. */
function placesIn(holder: Json): (readonly [holder: Json, key: string])[] {
  return Object.entries(holder).flatMap(([key, value]) => {
    const inner = typeof value === "object" && value !== null ? placesIn(value as Json) : [];
    return key === "kind" ? inner : [[holder, key] as const, ...inner];
  });
}

test("law: what the schema refuses, the plane refuses", () => {
  const verdicts = { both: 0, plane: 0, none: 0 };
  fc.assert(
    fc.property(
      fc.constantFrom(...WHOLE_MANIFESTS),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (whole, mutations) => {
        const manifest = structuredClone(whole) as Json;
        for (const each of mutations) mutate(manifest, each);
        const [schema, plane] = [schemaComplaints(manifest), planeComplaints(manifest)];
        if (plane.length === 0) expect(schema).toEqual([]);
        verdicts[schema.length > 0 ? "both" : plane.length > 0 ? "plane" : "none"]++;
      },
    ),
    { numRuns: 2000 },
  );
  // Most mutations do harm, and the schema sees most of the harm.
  expect(verdicts.none).toBeGreaterThan(50);
  expect(verdicts.both).toBeGreaterThan(3 * verdicts.plane);
});
