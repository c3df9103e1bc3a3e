import type { JetStreamManager } from "@nats-io/jetstream";
import { type EpochMark, epochUnreadable, parseEpochMark } from "./epoch-mark.ts";
import { FIRST_ROOT, type Subjects } from "./subjects.ts";

/** Nothing lies below it. */
const LOST_ROOT = "lost";

/**
 * Which epoch a bucket is in, and where its state lies.
 *
 * @param isForReplacement All that the bucket holds is to be replaced: where nobody knows where that is, it counts as empty.
 * @throws ControlPlaneError `corrupt` / `STORE_CORRUPT` where the bucket says so in no form that a release writes.
 */
export async function newestEpoch(
  manager: JetStreamManager,
  { stream, epoch }: Subjects,
  isForReplacement: boolean,
): Promise<EpochMark> {
  const message = await manager.streams.getMessage(stream, { last_by_subj: epoch });
  if (message === null) return { epoch: 0, root: FIRST_ROOT };
  const mark = parseEpochMark(message.string());
  if (mark !== undefined) return mark;
  if (isForReplacement) return { epoch: 0, root: LOST_ROOT };
  throw epochUnreadable(stream);
}
