import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import { ControlPlaneError } from "../domain/errors.ts";
import { lastMessage } from "./stream-message.ts";
import { FIRST_ROOT, type Subjects } from "./subjects.ts";

/** A root with nothing below it. */
const LOST_ROOT = "lost";

/** What the bucket's epoch message says. */
export interface EpochMark {
  readonly epoch: number;
  /** Where the state lies from now on. */
  readonly root: string;
}

export function formatEpochMark({ epoch, root }: EpochMark): string {
  return `${epoch} ${root}`;
}

/** Undefined for a text that no release writes. */
export function parseEpochMark(text: string): EpochMark | undefined {
  const match = /^(\d{1,15}) ([A-Za-z0-9_=-]{1,128})$/.exec(text);
  return match === null ? undefined : { epoch: Number(match[1]), root: match[2] ?? "" };
}

/** Without the epoch message, nobody knows where the state lies. */
export function epochUnreadable(stream: string): ControlPlaneError {
  return new ControlPlaneError({
    kind: "corrupt",
    code: "STORE_CORRUPT",
    message: `stream ${stream} states its epoch in a form that no release writes, so it is unknown where the state lies; restore a backup with fairlead restore --nats`,
    details: { stream },
  });
}

/** The message that states the bucket's epoch, and what it states; a mark in a form that no release writes is undefined. */
export async function readEpoch(
  manager: JetStreamManager,
  { stream, epoch }: Pick<Subjects, "stream" | "epoch">,
): Promise<{ readonly message: StoredMsg | undefined; readonly mark: EpochMark | undefined }> {
  const message = await lastMessage(manager, { stream, subject: epoch });
  return { message, mark: message && parseEpochMark(message.string()) };
}

/**
 * Which epoch a bucket is in, and where its state lies.
 *
 * @param isForReplacement The bucket's content will be replaced, so it counts as empty if its place is unknown.
 * @throws ControlPlaneError `corrupt` / `STORE_CORRUPT` when the bucket states it in a form that no release writes.
 */
export async function newestEpoch(
  manager: JetStreamManager,
  subjects: Subjects,
  isForReplacement: boolean,
): Promise<EpochMark> {
  const { message, mark } = await readEpoch(manager, subjects);
  if (message === undefined) return { epoch: 0, root: FIRST_ROOT };
  if (mark !== undefined) return mark;
  if (isForReplacement) return { epoch: 0, root: LOST_ROOT };
  throw epochUnreadable(subjects.stream);
}
