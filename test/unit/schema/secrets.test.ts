import {
  create,
  createFileRegistry,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import {
  type FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { KINDS } from "../../../src/domain/name.ts";
import { jsonChanges } from "../../../src/schema/field-changes.ts";
import { descriptorOf } from "../../../src/schema/object-message.ts";
import { keepSecrets, markSecrets, mayHoldSecret, withoutSecrets, withoutValues } from "../../../src/schema/secrets.ts";

type FieldInit = MessageInitShape<typeof FieldDescriptorProtoSchema>;

/** A message with secrets wherever one may stand, and where none may. */
const registry = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: "vault.proto",
    package: "test",
    syntax: "proto3",
    messageType: [
      {
        name: "Vault",
        field: [
          { name: "title", number: 1, ...text() },
          { name: "pass_word", number: 2, ...secret(Type.STRING) },
          { name: "key", number: 3, ...secret(Type.BYTES), oneofIndex: 0 },
          { name: "file", number: 4, ...text(), oneofIndex: 0 },
          { name: "inner", number: 5, ...message("Vault") },
          { name: "list", number: 6, ...message("Vault"), label: Label.REPEATED },
          { name: "by_name", number: 7, ...message("Vault.ByNameEntry"), label: Label.REPEATED },
          { name: "plain", number: 8, ...message("Plain") },
        ].map((field) => ({ ...field, jsonName: camel(field.name) })),
        oneofDecl: [{ name: "source" }],
        nestedType: [
          {
            name: "ByNameEntry",
            options: { mapEntry: true },
            field: [
              { name: "key", number: 1, ...text() },
              { name: "value", number: 2, ...message("Vault") },
            ],
          },
        ],
      },
      { name: "Plain", field: [{ name: "title", jsonName: "title", number: 1, ...text() }] },
    ],
  }),
  () => undefined,
);
const [vault, plain] = ["test.Vault", "test.Plain"].map((name) => registry.getMessage(name)) as [
  DescMessage,
  DescMessage,
];

function text(): FieldInit {
  return { type: Type.STRING, label: Label.OPTIONAL };
}
function message(name: string): FieldInit {
  return { type: Type.MESSAGE, typeName: `.test.${name}`, label: Label.OPTIONAL };
}
function secret(type: Type): FieldInit {
  return { type, label: Label.OPTIONAL, options: create(FieldOptionsSchema, { debugRedact: true }) };
}
function camel(name: string): string {
  return name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
const read = (json: JsonValue) => fromJson(vault, json);
const one = (title: string) => ({ title, passWord: `of ${title}` });

test("a message is shown without its secrets, however deep, and is itself left as it is", () => {
  const json = {
    ...one("a"),
    key: "AAAA",
    inner: { ...one("b"), inner: one("c") },
    list: [one("d"), { inner: one("e") }],
    byName: { x: one("f") },
    plain: { title: "p" },
  };
  const whole = read(json);
  expect(toJson(vault, withoutSecrets(vault, whole))).toEqual({
    title: "a",
    inner: { title: "b", inner: { title: "c" } },
    list: [{ title: "d" }, { inner: { title: "e" } }],
    byName: { x: { title: "f" } },
    plain: { title: "p" },
  });
  expect(toJson(vault, whole)).toEqual(json);
});

test("a message that cannot hold a secret is shown as it is, without a copy", () => {
  const shown = create(plain, { title: "a" });
  expect(mayHoldSecret(plain)).toBe(false);
  expect(withoutSecrets(plain, shown)).toBe(shown);
});

describe("a write", () => {
  const kept = (draft: JsonValue, before: JsonValue, named?: string[]) => {
    const message = read(draft);
    keepSecrets(vault, message, read(before), named);
    return toJson(vault, message);
  };

  test("keeps what it leaves out, and takes what it gives", () => {
    const before = { passWord: "old", key: "AAAA", inner: { passWord: "deep" } };
    expect(kept({ title: "a", inner: {} }, before)).toEqual({ title: "a", ...before });
    expect(kept({ passWord: "new" }, before)).toEqual({ passWord: "new", key: "AAAA" });
  });

  test("takes away what it names and does not give, in either spelling, and what another choice replaces", () => {
    const before = { passWord: "old", key: "AAAA", inner: { passWord: "deep" } };
    expect(kept({ inner: {} }, before, ["pass_word"])).toEqual({ key: "AAAA", inner: { passWord: "deep" } });
    expect(kept({ inner: {} }, before, ["inner.passWord", "key"])).toEqual({ passWord: "old", inner: {} });
    expect(kept({ file: "/etc/key" }, before)).toEqual({ passWord: "old", file: "/etc/key" });
  });
});

test("what changes is told, and of a secret only that it does", () => {
  const [before, after] = [
    { title: "a", passWord: "old", key: "AAAA", inner: { passWord: "same" }, list: [{ passWord: "gone" }] },
    { title: "b", passWord: "new", inner: { passWord: "same" }, byName: { x: { title: "x", passWord: "come" } } },
  ];
  markSecrets(vault, before, after);
  expect(jsonChanges(before, after)).toEqual([
    { path: "title", from: "a", to: "b" },
    { path: "passWord", from: "(withheld)", to: "(withheld, changed)" },
    { path: "key", from: "(withheld)", to: undefined },
    { path: "list", from: [{ passWord: "(withheld)" }], to: undefined },
    { path: "byName", from: undefined, to: { x: { title: "x", passWord: "(withheld)" } } },
  ]);
});

test.each([
  ["passWord", '"hunter2" is not long enough; give 8 characters', "the value is not long enough; give 8 characters"],
  ["inner.pass_word", "must be text, not 1234; quote it", "must be text"],
  ["list[3].byName.x.key", 'the "quoted" value "with a " in it" is wrong', "the the value is wrong"],
  ["", 'cannot decode "hunter2"', "cannot decode the value"],
  ["inner.title", '"shown" is wrong', '"shown" is wrong'],
])("what is wrong with %s is said without a secret", (field, said, shown) => {
  expect(withoutValues(vault, [{ field, message: said }])).toEqual([{ field, message: shown }]);
});

test("objects have secrets only where a write can say which one it keeps: texts and bytes, and never within a list", () => {
  const messages = new Set<DescMessage>();
  for (const kind of KINDS) collect(descriptorOf(kind), messages);
  expect(messages.size).toBeGreaterThan(25);
  expect([...messages].flatMap(misplaced)).toEqual([]);
  expect(misplaced(vault)).toEqual(["test.Vault.list", "test.Vault.by_name"]);
});

function collect(desc: DescMessage, found: Set<DescMessage>): void {
  if (found.has(desc)) return;
  found.add(desc);
  for (const { message } of desc.fields) if (message !== undefined) collect(message, found);
}

function misplaced(desc: DescMessage): string[] {
  return desc.fields
    .filter((field) => (isMarked(field) ? !isText(field) : isRepeated(field) && mayHoldSecret(field.message)))
    .map((field) => `${desc.typeName}.${field.name}`);
}

function isMarked({ proto }: DescField): boolean {
  return proto.options?.debugRedact === true;
}

function isText(field: DescField): boolean {
  if (field.fieldKind === "map") return field.scalar === ScalarType.STRING;
  return field.fieldKind === "scalar" && [ScalarType.STRING, ScalarType.BYTES].includes(field.scalar);
}

function isRepeated(field: DescField): field is DescField & { readonly message: DescMessage } {
  return field.fieldKind !== "message" && field.message !== undefined;
}
