import { create } from "@bufbuild/protobuf";
import { type Meta, MetaSchema } from "../../gen/fairlead/admin/v1/meta_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import type { Settling } from "../../schema/kinds/kind-entry.ts";

/** What a write contributes to the envelope. */
export interface Stamp extends Settling {
  /** For a new object. */
  readonly uid: string;
  readonly requestId: string;
}

/** The envelope after a write. The generation grows with a change of the spec, and only then (law 3, order). */
export function nextMeta(
  before: Meta | undefined,
  stamp: Stamp,
  { specChanged, owner }: { specChanged: boolean; owner: string },
): Meta {
  const now = instantOfMs(stamp.now);
  return create(MetaSchema, {
    uid: before?.uid ?? stamp.uid,
    generation: before === undefined ? 1n : before.generation + (specChanged ? 1n : 0n),
    owner,
    createTime: before?.createTime ?? now,
    updateTime: now,
    requestId: stamp.requestId,
  });
}
