import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeRequest } from "../../../src/admin/decode-request.ts";
import { MAX_FIELDS, MAX_MAP_ENTRIES, MAX_OBJECT_FIELDS, scanRequest } from "../../../src/admin/scan-request.ts";
import { type AnyObjectSchema, ApplyRequestSchema } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { WaitForRevisionRequestSchema } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";

const pace = { breathe: async () => undefined };
type Given = MessageInitShape<typeof AnyObjectSchema>;
const encode = (objects: Given[]) => toBinary(ApplyRequestSchema, create(ApplyRequestSchema, { objects }));
const service = (labels: Record<string, string>): Given => ({
  object: { case: "service", value: { name: "a", labels } },
});
const rules = (count: number): Given => ({
  object: {
    case: "route",
    value: { name: "a", rules: Array.from({ length: count }, () => ({ to: [{ service: "s", weight: 1 }] })) },
  },
});

test("a map has so many entries at most", () => {
  const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));
  scanRequest(ApplyRequestSchema, encode([service(labels(MAX_MAP_ENTRIES))]));
  expect(() => scanRequest(ApplyRequestSchema, encode([service(labels(MAX_MAP_ENTRIES + 1))]))).toThrow(
    /entries of Service\.labels: more than 1024, but at most 1024 are allowed;.*docs\/api\.md/,
  );
});

test("one object and a whole request have so many fields at most", () => {
  const fieldsOfRule = 4;
  const many = Math.floor(MAX_OBJECT_FIELDS / fieldsOfRule);
  scanRequest(ApplyRequestSchema, encode([rules(many - 10)]));
  expect(() => scanRequest(ApplyRequestSchema, encode([rules(many + 10)]))).toThrow(/fields of objects\[0\]/);
  const whole = Array.from({ length: 4 }, () => rules(Math.floor(MAX_FIELDS / fieldsOfRule / 4) + 10));
  expect(() => scanRequest(ApplyRequestSchema, encode(whole))).toThrow(/fields of fairlead\.admin\.v1\.ApplyRequest/);
});

test("elements of lists, empty messages, unknown fields and groups count as well", () => {
  const nodes = Array.from({ length: MAX_FIELDS + 1 }, () => "");
  const list = toBinary(WaitForRevisionRequestSchema, create(WaitForRevisionRequestSchema, { nodes }));
  expect(() => scanRequest(WaitForRevisionRequestSchema, list)).toThrow(/TOO_MANY|more than 250000/);
  const unknown = new BinaryWriter();
  for (let i = 0; i <= MAX_FIELDS; i++) unknown.tag(777, WireType.Varint).int32(1);
  expect(() => scanRequest(ApplyRequestSchema, unknown.finish())).toThrow(/more than 250000/);
  const group = new BinaryWriter().tag(9, WireType.StartGroup).tag(9, WireType.EndGroup).finish();
  expect(() => scanRequest(ApplyRequestSchema, group)).toThrow(/the request is not a well-formed/);
});

test("a field that is written as it is not is refused: a decoder would read on elsewhere", () => {
  const bytes = new BinaryWriter().tag(1, WireType.Varint).uint32(5).finish();
  expect(() => scanRequest(ApplyRequestSchema, bytes)).toThrow(/the request is not a well-formed/);
});

test("whatever the bytes are, the scan ends in time with an answer or an error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      try {
        scanRequest(ApplyRequestSchema, bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(MALFORMED_REQUEST|TOO_MANY_FIELDS)$/) });
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a long request, which is decoded in parts, is the same message", async () => {
  const objects = Array.from(
    { length: 900 },
    (_, i): Given => (i % 2 === 0 ? service({ a: "1", long: "x".repeat(200) }) : rules((i % 7) + 1)),
  );
  const message = create(ApplyRequestSchema, { objects, owner: "ci", prune: true, options: { reason: "r" } });
  const bytes = toBinary(ApplyRequestSchema, message);
  expect(bytes.byteLength).toBeGreaterThan(64 * 1024);
  expect(await decodeRequest(ApplyRequestSchema, bytes, pace)).toEqual(message);
});

test("an unknown field of one object of a long request is named by its place", async () => {
  const filler = Array.from({ length: 900 }, () => service({ long: "x".repeat(200) }));
  const odd = new BinaryWriter().tag(777, WireType.Varint).int32(1).finish();
  const bytes = Buffer.concat([
    encode(filler),
    new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(odd).finish(),
  ]);
  await expect(decodeRequest(ApplyRequestSchema, bytes, pace)).rejects.toMatchObject({
    code: "UNKNOWN_FIELD",
    violations: [{ field: "objects[900]" }],
  });
});
