import type { Held, HeldContent, Tombstone } from "../store/held-state.ts";
import { DELETE_WINDOW_MS } from "../store/state-store.ts";
import type { AssembledCommit, BucketMessage } from "./batch-assembler.ts";

/** A reading of the whole state: at the start, and when another epoch has begun. The promise resolves when it is done. */
export interface Loading extends PromiseWithResolvers<void> {
  readonly messages: Pick<BucketMessage, "sequence" | "at">[];
}

export function newLoading(): Loading {
  return { messages: [], ...Promise.withResolvers<void>() };
}

/** The first whole state. Deletes are known as far back as the oldest message that lies within the window. */
export function firstContent(commit: AssembledCommit, loaded: Loading["messages"]): HeldContent {
  const { position, at, epoch, changes } = commit;
  const oldest = loaded.find((message) => message.at >= at - DELETE_WINDOW_MS);
  const entries = new Map<string, Held>();
  const tombstones = new Map<string, Tombstone>();
  for (const { key, value, ...written } of changes) {
    if (value === undefined) tombstones.set(key, written);
    else entries.set(key, { value, position: written.position });
  }
  const floor = (oldest?.sequence ?? position) - 1;
  return { epoch: epoch?.epoch ?? 1, position, at, floor, entries, tombstones };
}
