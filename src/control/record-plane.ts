import type { PlaneAddress } from "../domain/backend-networks.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import { keyToken } from "../store/key-token.ts";
import { MAX_PLANE_ADDRESSES } from "../store/keys/plane-record.ts";
import { RECORDS } from "../store/keys/records.ts";
import type { StateStore } from "../store/state-store.ts";
import type { Mirror } from "./mirror.ts";

const RETRY_MS = 1000;

export interface RecordPlaneOptions {
  readonly mirror: Mirror;
  readonly store: Pick<StateStore, "commit" | "now">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly replica: string;
  readonly addresses: readonly PlaneAddress[];
}

/**
 * Records in the store where this replica listens: once in each epoch, and again when the record is missing or cannot be
 * read. It leaves a record that differs from what it wrote: that is the record of a plane with the same name.
 */
export function recordPlane(options: RecordPlaneOptions): { stop(): void } {
  const { mirror, store, clock, log, replica } = options;
  const addresses = options.addresses.slice(0, MAX_PLANE_ADDRESSES);
  const name = keyToken(replica);
  const key = RECORDS.plane.key(name);
  let writtenIn: number | undefined;
  let writing = false;
  let stopped = false;
  let cancel: () => void = () => undefined;

  const look = () => {
    const { epoch } = mirror.revision;
    if (writing || stopped || (writtenIn === epoch && mirror.records("plane").has(name) && !mirror.setAside.has(key)))
      return;
    writing = true;
    void write(epoch);
  };
  const write = async (epoch: number) => {
    try {
      await store.commit({
        ops: [{ op: "put", key, value: RECORDS.plane.encode({ addresses, at: store.now() }) }],
        cause: { actor: `replica:${replica}`, operation: "-plane", reason: "", requestId: "" },
      });
      writtenIn = epoch;
    } catch (err) {
      if (!stopped) log.warn({ err }, "where this replica listens could not be recorded yet");
    }
    // Look again later: what was written has to be folded first, and a store that is away has to come back.
    if (!stopped) {
      cancel = clock.after(RETRY_MS, () => {
        writing = false;
        look();
      });
    }
  };
  const stopFolds = mirror.onFold(look);
  look();
  return {
    stop: () => {
      stopped = true;
      stopFolds();
      cancel();
    },
  };
}
