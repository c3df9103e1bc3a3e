import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { RouteSchema } from "../../../src/gen/fairlead/admin/v1/route_pb.ts";
import { type Service, ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { unknownContent } from "../../../src/schema/unknown-content.ts";

const later = () => new BinaryWriter().tag(900, WireType.LengthDelimited).string("new").finish();

/** A service with an unknown field inside the message that `number` holds. */
function serviceWith(number: number): Service {
  const nested = new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(later()).finish();
  const known = toBinary(ServiceSchema, create(ServiceSchema, { name: "shop" }));
  return fromBinary(ServiceSchema, new Uint8Array([...known, ...nested]));
}

describe("what a message holds that this release does not know", () => {
  it("is nothing in what it wrote itself", () => {
    const service = create(ServiceSchema, { name: "shop", protocol: 1, healthCheck: {} });
    expect(unknownContent(ServiceSchema, fromBinary(ServiceSchema, toBinary(ServiceSchema, service)))).toEqual([]);
  });

  it("is found at the top", () => {
    const service = fromBinary(ServiceSchema, later());
    expect(unknownContent(ServiceSchema, service)).toEqual([
      { kind: "field", path: "", message: "Service has no field 900" },
    ]);
  });

  it.each(ServiceSchema.fields.filter(({ fieldKind, message }) => fieldKind === "message" && message !== undefined))(
    "is found in $jsonName",
    ({ number, jsonName, message }) => {
      expect(unknownContent(ServiceSchema, serviceWith(number))).toEqual([
        { kind: "field", path: jsonName, message: `${message?.name} has no field 900` },
      ]);
    },
  );

  it("is found in a list in a list, and as a value of an enum", () => {
    const route = create(RouteSchema, { rules: [{}, { to: [{}, { service: "shop" }] }] });
    const destination = route.rules[1]?.to[1];
    if (destination !== undefined)
      destination.$unknown = [{ no: 9, wireType: WireType.Varint, data: Uint8Array.of(1) }];
    expect(unknownContent(RouteSchema, route).map(({ path }) => path)).toEqual(["rules[1].to[1]"]);
    const service = create(ServiceSchema, { protocol: 99 as never });
    expect(unknownContent(ServiceSchema, service)).toEqual([
      { kind: "value", path: "protocol", message: "Protocol has no value 99" },
    ]);
  });

  it("is not looked for beyond the limit", () => {
    const unknown = Array.from({ length: 50 }, (_, no) => ({ no: 900 + no, wireType: 0, data: Uint8Array.of(1) }));
    expect(unknownContent(ServiceSchema, Object.assign(create(ServiceSchema), { $unknown: unknown }))).toHaveLength(20);
  });
});
