import { create } from "@bufbuild/protobuf";
import { type AnyObject, AnyObjectSchema } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import type { AppliedKind, MessageOf } from "../../schema/kinds/registry.ts";

export function anyObject<K extends AppliedKind>(kind: K, message: MessageOf[K]): AnyObject {
  return create(AnyObjectSchema, { object: { case: kind, value: message } as AnyObject["object"] });
}
