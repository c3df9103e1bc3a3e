import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type RefusalMark, RefusalMarksSchema } from "../../gen/fairlead/store/v1/refusal_marks_pb.ts";
import { below, type RecordForm } from "./record-form.ts";

/** What one proxy refused and has not acknowledged since. */
export interface RefusalRecord {
  readonly nodeId: string;
  readonly marks: readonly Pick<RefusalMark, "typeUrl" | "name">[];
  /** When the last of them was refused, by the store's clock: milliseconds since the epoch; 0 when it was not recorded. */
  readonly refusedAt: number;
}

/** Keyed by a hash of the proxy's id. */
export const REFUSAL: RecordForm<RefusalRecord> = {
  ...below("refusals/"),
  what: "record of what a proxy refused",
  encode: ({ nodeId, marks, refusedAt }) => {
    const message = { nodeId, marks: [...marks], refusedAtMs: BigInt(Math.round(refusedAt)) };
    return toBinary(RefusalMarksSchema, create(RefusalMarksSchema, message));
  },
  decode: (bytes) => {
    const { nodeId, marks, refusedAtMs } = fromBinary(RefusalMarksSchema, bytes);
    return { nodeId, marks, refusedAt: Number(refusedAtMs) };
  },
};
