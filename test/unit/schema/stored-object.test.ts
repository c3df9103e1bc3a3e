import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { StoredObjectSchema } from "../../../src/gen/fairlead/store/v1/stored_object_pb.ts";
import { decodeStored, encodeStored, STORED_SCHEMA } from "../../../src/schema/stored-object.ts";

const KEY = "projects/default/services/shop";
const AT = { epoch: 1, position: 7 };
const shop = create(ServiceSchema, {
  name: "shop",
  meta: { uid: "u", generation: 3n, version: "1.2" },
  conditions: [{ type: "Accepted", ok: true }],
  status: { backends: 2 },
});

test("an object comes back with the revision as its version and without what is derived", () => {
  const read = decodeStored(KEY, encodeStored("service", shop), AT);
  expect(read.kind).toBe("service");
  expect(read.object.meta).toMatchObject({ uid: "u", generation: 3, version: "1.7" });
  expect(read.message).toMatchObject({ name: "shop", conditions: [], meta: { version: "1.7" } });
  expect(read.message).not.toHaveProperty("status.backends");
});

test("fields of a later release survive a read and a write", () => {
  const later = new BinaryWriter().tag(900, WireType.LengthDelimited).string("new").finish();
  const object = new Uint8Array([...toBinary(ServiceSchema, shop), ...later]);
  const envelope = create(StoredObjectSchema, { schema: STORED_SCHEMA, kind: "service", object });
  const read = decodeStored(KEY, toBinary(StoredObjectSchema, envelope), AT);
  if (read.kind !== "service") throw new Error("a service was stored");
  const again = fromBinary(StoredObjectSchema, encodeStored("service", read.message));
  expect(fromBinary(ServiceSchema, again.object).$unknown).toMatchObject([{ no: 900 }]);
});

test.each([
  ["bytes that do not decode", new Uint8Array([255, 255, 255])],
  ["an empty value", new Uint8Array()],
  ["an object of another kind", toBinary(StoredObjectSchema, create(StoredObjectSchema, { schema: 1, kind: "route" }))],
  ["an object of another name", encodeStored("service", { ...shop, name: "other" })],
  ["an object that breaks a limit", encodeStored("service", { ...shop, policy: "Not A Label" })],
])("%s is corrupt", (_, bytes) => {
  expect(() => decodeStored(KEY, bytes, AT)).toThrow(
    expect.objectContaining({ kind: "corrupt", code: "STORED_OBJECT_CORRUPT" }),
  );
});

test("an object of a newer release is refused", () => {
  const bytes = toBinary(
    StoredObjectSchema,
    create(StoredObjectSchema, { schema: STORED_SCHEMA + 1, kind: "service" }),
  );
  expect(() => decodeStored(KEY, bytes, AT)).toThrow(
    expect.objectContaining({ kind: "precondition", code: "WRITTEN_BY_NEWER_RELEASE" }),
  );
});
