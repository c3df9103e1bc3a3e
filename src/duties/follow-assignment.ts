import { toControlPlaneError } from "../domain/errors.ts";
import { keyToken } from "../store/key-token.ts";
import { ASSIGNMENT, type Assignment } from "../store/keys/assignment-record.ts";
import { readForm } from "../store/keys/record-form.ts";
import type { Revision } from "../store/revision.ts";
import type { BatchGuard } from "../store/state-store.ts";
import type { DutyContext } from "./duty.ts";

/** What a worker may check, and the fencing token by which its writes prove that. */
export interface Share {
  readonly assignment: Assignment;
  readonly fencingToken: BatchGuard;
}

const RETRY_MS = 500;

/**
 * Tells a worker its share, now and after each change, until the signal is aborted.
 *
 * The mirror has reached the share's revision by then, and holds all that the previous worker could write.
 */
export async function followAssignment(
  { store, mirror, clock, log }: Pick<DutyContext, "store" | "mirror" | "clock" | "log">,
  { worker, onShare, signal }: { worker: string; onShare: (share: Share | undefined) => void; signal: AbortSignal },
): Promise<void> {
  const key = ASSIGNMENT.key(keyToken(worker));
  const tell = async (value: Uint8Array | undefined, revision: Revision) => {
    const assignment = value === undefined ? undefined : readForm(ASSIGNMENT, value);
    await mirror.reach(revision, signal);
    onShare(assignment && { assignment, fencingToken: { key, revision } });
  };
  while (!signal.aborted) {
    try {
      const { entries, revision } = await store.read(key);
      const own = entries.find((entry) => entry.key === key);
      await tell(own?.value, own?.revision ?? revision);
      for await (const event of store.watch({ from: revision, signal })) {
        if (event.kind === "state") continue;
        const change = event.changes.findLast((each) => each.key === key);
        if (change !== undefined) await tell(change.value, change.revision);
      }
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toControlPlaneError(thrown);
      if (error.code === "COMPACTED") continue;
      log.warn({ err: error }, "the share of the checks could not be read; trying again");
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
}
