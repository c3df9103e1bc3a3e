import type { Held, HeldContent, Tombstone } from "../store/held-state.ts";
import { DELETE_WINDOW_MS } from "../store/state-store.ts";
import type { AssembledCommit } from "./batch-assembler.ts";

/** A message of the first reading. */
interface Loaded {
  readonly sequence: number;
  readonly at: number;
}

/** A reading of the whole state: at the start, and when another epoch has begun. */
export interface Loading {
  readonly messages: Loaded[];
  readonly done: () => void;
  readonly isDone: Promise<void>;
}

export function newLoading(): Loading {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { messages: [], done: resolve, isDone: promise };
}

/** The first whole state. Deletes are known as far back as the oldest message that lies within the window. */
export function firstContent(commit: AssembledCommit, loaded: readonly Loaded[]): HeldContent {
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
