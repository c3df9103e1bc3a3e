/**
 * Marks a field of every kind of object as a secret, as a proto would, before anything else is imported. No kind has such a
 * field yet: this shows what will happen to the first.
 */
import { create, type DescMessage } from "@bufbuild/protobuf";
import { FieldOptionsSchema } from "@bufbuild/protobuf/wkt";
import { BackendSchema, HealthSchema } from "../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { FleetSchema } from "../../src/gen/fairlead/admin/v1/fleet_pb.ts";
import { HttpCheckSchema, TcpCheckSchema } from "../../src/gen/fairlead/admin/v1/health_check_pb.ts";
import { ListenerSchema } from "../../src/gen/fairlead/admin/v1/listener_pb.ts";
import { PolicySchema } from "../../src/gen/fairlead/admin/v1/policy_pb.ts";
import { RouteSchema } from "../../src/gen/fairlead/admin/v1/route_pb.ts";
import { ServiceSchema } from "../../src/gen/fairlead/admin/v1/service_pb.ts";

const MARKED: readonly (readonly [message: DescMessage, field: string])[] = [
  [ServiceSchema, "annotations"],
  [PolicySchema, "annotations"],
  [BackendSchema, "annotations"],
  [ListenerSchema, "annotations"],
  [RouteSchema, "annotations"],
  [FleetSchema, "annotations"],
  [HealthSchema, "reason"],
  // Within a choice: one that errors quote, and one of bytes.
  [HttpCheckSchema, "host"],
  [TcpCheckSchema, "send"],
];

for (const [message, name] of MARKED) {
  const field = message.field[name];
  if (field === undefined) throw new Error(`${message.typeName} has no field ${name}`);
  field.proto.options = create(FieldOptionsSchema, { debugRedact: true });
}
