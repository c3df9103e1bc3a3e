import type { StreamInfo } from "@nats-io/jetstream";
import { repeat } from "../runtime/repeat.ts";
import type { StoreTrouble } from "../store/store.ts";
import { type BucketConfig, bucketFault, findStream } from "./bucket.ts";
import type { BucketSession } from "./bucket-session.ts";

const INTERVAL_MS = 5_000;

/**
 * Checks now and then that the buckets still are as they must be: somebody may have removed their copies or changed their
 * settings, which no write and no watch shows until it is too late.
 */
export class BucketWatch {
  readonly #session: Pick<BucketSession, "manager" | "clock" | "random" | "logger">;
  readonly #buckets: readonly BucketConfig[];
  #fault: StoreTrouble | undefined;
  /** Ends the watch. */
  readonly stop: () => void;

  /** @param buckets Their settings at the start. */
  constructor(
    session: Pick<BucketSession, "manager" | "clock" | "random" | "logger">,
    buckets: readonly BucketConfig[],
  ) {
    this.#session = session;
    this.#buckets = buckets;
    const { clock, random } = session;
    const intervalMs = () => INTERVAL_MS * (0.75 + random.next() / 2);
    let isLooking = false;
    this.stop = repeat(clock, intervalMs, async () => {
      if (isLooking) return;
      isLooking = true;
      await this.#look();
      isLooking = false;
    });
  }

  /** What is wrong with a bucket that still works. */
  get fault(): StoreTrouble | undefined {
    return this.#fault;
  }

  async #look(): Promise<void> {
    const { manager, clock, logger } = this.#session;
    try {
      const faults: string[] = [];
      for (const wanted of this.#buckets) {
        const why = faultOf(await findStream(manager, wanted.name), wanted);
        if (why !== undefined) faults.push(why);
      }
      const why = faults.join("; ");
      if (why !== (this.#fault?.why ?? "")) {
        if (why === "") logger.info({}, "the buckets are in order again");
        else logger.error({ why }, "something is wrong with a bucket");
        this.#fault = why === "" ? undefined : { why, since: clock.now() };
      }
    } catch {
      // The servers are away, which is reported elsewhere.
    }
  }
}

function faultOf(found: StreamInfo | undefined, wanted: BucketConfig): string | undefined {
  if (found === undefined) return `stream ${wanted.name} no longer exists; restore a backup`;
  const fault = bucketFault(found.config, wanted);
  if (fault !== undefined) return fault.message;
  const away = found.cluster?.replicas?.filter(({ offline }) => offline).map(({ name }) => name) ?? [];
  if (away.length === 0) return undefined;
  return `${away.length} of ${found.config.num_replicas} copies of stream ${wanted.name} are offline: ${away.join(", ")}`;
}
