import type { StateStore } from "../store/state-store.ts";
import type { Mirror } from "./mirror.ts";

/**
 * The fence against going back: once passed, this replica has folded everything that any replica had served when the
 * caller came (law 6). What a proxy presents is no proof of what it has seen; the log is.
 *
 * Rejects when the store cannot be asked, or with the signal's reason. A thousand callers at a time cost one write.
 */
export async function passFence(
  { store, mirror }: { store: Pick<StateStore, "barrier">; mirror: Mirror },
  signal: AbortSignal,
): Promise<void> {
  const revision = await store.barrier();
  await mirror.reach(revision, signal);
}
