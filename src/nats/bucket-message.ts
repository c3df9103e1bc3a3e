import type { Msg } from "@nats-io/transport-node";
import { LATEST_INSTANT_MS } from "../store/store-time.ts";
import type { BucketMessage } from "./batch-assembler.ts";
import { BATCH_HEADER, ID_HEADER, parseBatchMark } from "./batch-mark.ts";
import { parseEpochMark } from "./epoch-mark.ts";
import type { Subjects } from "./subjects.ts";

/** What a message of the bucket means to a mirror. */
export function bucketMessage(
  { subject, headers, data }: Pick<Msg, "subject" | "headers" | "data">,
  subjects: Subjects,
  place: Pick<BucketMessage, "sequence" | "at" | "pending">,
): BucketMessage {
  const header = (name: string) => headers?.get(name) ?? "";
  const key = subjects.keyOf(subject);
  const isGone = header("KV-Operation") !== "" || header("Nats-Marker-Reason") !== "";
  return {
    ...place,
    mark: parseBatchMark(header(BATCH_HEADER)),
    id: header(ID_HEADER),
    epoch: subject === subjects.epoch ? parseEpochMark(new TextDecoder().decode(data)) : undefined,
    time: subjects.isTick(subject) ? parseTime(data) : undefined,
    change: key === undefined ? undefined : { key, value: isGone ? undefined : data },
  };
}

/** Undefined for what earlier releases wrote, and for anything that is not an instant. */
function parseTime(data: Uint8Array): number | undefined {
  const text = data.byteLength > 16 ? "" : new TextDecoder().decode(data);
  return /^\d+$/.test(text) && Number(text) <= LATEST_INSTANT_MS ? Number(text) : undefined;
}
