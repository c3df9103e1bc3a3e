import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Kind } from "../../src/domain/name.ts";
import { StoredObjectSchema } from "../../src/gen/fairlead/store/v1/stored_object_pb.ts";
import type { MessageOf } from "../../src/schema/kinds/registry.ts";
import { descriptorOf } from "../../src/schema/object-message.ts";
import { STORED_SCHEMA } from "../../src/schema/stored-object.ts";

/** No protobuf, no JSON, no text. */
export const GARBAGE = Uint8Array.of(255, 255, 255, 1, 2, 3);

/** Keys that no release writes, or holds something else under. */
export const STRANGE_KEYS = [
  "projects/default/services/shop",
  "projects/default/services/shop/backends/s1",
  "projects/default/services/shop/backends/s1/health/foo",
  "projects/default/services/shop/backends/s1/health/reporter_",
  "projects/default/services/shop/backends/s1/signals/cpu",
  "projects/default/services/Shop",
  "projects/default/certificates/edge",
  "projects/-/services/shop",
  "projects//services/shop",
  "projects/default/services",
  "projects/default",
  "projects/",
  "projects",
  "",
  "/",
  "a b\n\u202e",
  `projects/default/services/${"s".repeat(300)}`,
  "leds/projects/default/services/shop",
  "leds/projects/-/services/shop",
  "leds/x",
  "refusals/0123456789abcdef0123456789abcdef",
  "assign/plane-a",
  "system/version",
  "system/versions",
  "system/leases/duties",
  "later/thing",
];

/** An object as a later release may write it: with a field that nobody here knows. */
export function laterObject<K extends Kind>(kind: K, message: MessageOf[K]): Uint8Array {
  const later = new BinaryWriter().tag(900, WireType.LengthDelimited).string("a protection").finish();
  const object = new Uint8Array([...toBinary(descriptorOf(kind), message), ...later]);
  return toBinary(StoredObjectSchema, create(StoredObjectSchema, { schema: STORED_SCHEMA, kind, object }));
}
