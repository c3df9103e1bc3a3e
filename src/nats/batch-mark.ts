import type { StoredMsg } from "@nats-io/jetstream";

/**
 * A message's place in its batch, written into a header of each message, so a reader of any one of them knows where its
 * batch begins and ends: messages of a batch have consecutive sequences, and its revision is the sequence of the last.
 */
export interface BatchMark {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** How many messages at the start no mirror listens to: history copies and the journal entry. */
  readonly hidden: number;
}

/** The server's limit for one batch. */
export const MAX_BATCH_MESSAGES = 1_000;
export const BATCH_HEADER = "Fairlead-Batch";
/** On a batch's tick: tells a writer that lost the answer that its batch is in the log. */
export const ID_HEADER = "Fairlead-Id";

export function formatBatchMark({ index, count, hidden }: BatchMark): string {
  return `${index}/${count}/${hidden}`;
}

/** A message without a mark, or with one that no release writes, was written by somebody else, and is its own batch. */
export function parseBatchMark(text: string): BatchMark {
  const match = /^(\d{1,4})\/(\d{1,4})\/(\d{1,4})$/.exec(text);
  const [index = 0, count = 0, hidden = 0] = match === null ? [] : match.slice(1).map(Number);
  if (index < 1 || index > count || count > MAX_BATCH_MESSAGES || hidden >= count) return ALONE;
  return { index, count, hidden };
}

const ALONE: BatchMark = { index: 1, count: 1, hidden: 0 };

/** The position of the batch that a message of the stream belongs to. */
export function positionOf({ seq, header }: StoredMsg): number {
  const { index, count } = parseBatchMark(header.get(BATCH_HEADER));
  return seq + count - index;
}
