import { toBinary } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, test } from "vitest";
import { instantOfMs } from "../../../src/runtime/instant.ts";

test("whatever was reckoned with, an instant can be encoded", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 253_402_300_799_999, noNaN: true }), (ms) => {
      expect(() => toBinary(TimestampSchema, instantOfMs(ms))).not.toThrow();
    }),
  );
});
