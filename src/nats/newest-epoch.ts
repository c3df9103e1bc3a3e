import type { JetStreamManager } from "@nats-io/jetstream";
import { type EpochMark, epochUnreadable, parseEpochMark } from "./epoch-mark.ts";
import { FIRST_ROOT, type Subjects } from "./subjects.ts";

/** A root with nothing below it. */
const LOST_ROOT = "lost";

/**
 * Which epoch a bucket is in, and where its state lies.
 *
 * @param isForReplacement The bucket's content will be replaced, so it counts as empty if its place is unknown.
 * @throws ControlPlaneError `corrupt` / `STORE_CORRUPT` when the bucket states it in a form that no release writes.
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
