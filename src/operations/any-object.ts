import { create } from "@bufbuild/protobuf";
import type { Kind } from "../domain/name.ts";
import { type AnyObject, AnyObjectSchema } from "../gen/fairlead/admin/v1/apply_pb.ts";
import type { MessageOf } from "../schema/object-message.ts";

/** The kinds that `AnyObject` holds: all but verdicts. */
export type AppliedKind = Exclude<Kind, "health">;

export function anyObject<K extends AppliedKind>(kind: K, message: MessageOf[K]): AnyObject {
  return create(AnyObjectSchema, { object: { case: kind, value: message } as AnyObject["object"] });
}
