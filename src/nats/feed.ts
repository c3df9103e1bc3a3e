import { AckPolicy, DeliverPolicy, ReplayPolicy } from "@nats-io/jetstream";
import { createInbox, type Msg, nanos } from "@nats-io/transport-node";
import type { BucketMessage } from "./batch-assembler.ts";
import { bucketMessage } from "./bucket-message.ts";
import type { BucketSession } from "./bucket-session.ts";
import { INBOX_PREFIX } from "./connect.ts";
import { listen } from "./listen.ts";
import type { Subjects } from "./subjects.ts";

const HEARTBEAT_MS = 1_000;
/** The server drops a consumer whose reader is gone after this time. */
const INACTIVE_MS = 30_000;

export interface Feed {
  stop(): Promise<void>;
}

export interface FeedOptions extends Pick<BucketSession, "connection" | "manager" | "containment"> {
  readonly subjects: Subjects;
  readonly from: number;
  readonly onMessage: (message: BucketMessage) => void;
  /** Called at most once, when a message is missing or the consumer is gone: open another feed. */
  readonly onBroken: () => void;
}

/**
 * Delivers messages of the bucket in order, from a sequence on, through its own ephemeral push consumer.
 *
 * It notices messages that got lost on the way; it does not notice that nothing arrives any more.
 */
export async function openFeed(options: FeedOptions): Promise<Feed> {
  const { connection, manager, subjects, from, containment } = options;
  const { stream, mirrored } = subjects;
  const inbox = createInbox(INBOX_PREFIX);
  const reader = new FeedReader(options);
  const subscription = listen(connection, inbox, { containment, source: "store" }, (error, message) =>
    reader.take(error, message),
  );
  try {
    const { name } = await manager.consumers.add(stream, {
      deliver_subject: inbox,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, from),
      filter_subjects: [...mirrored],
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      inactive_threshold: nanos(INACTIVE_MS),
      mem_storage: true,
      num_replicas: 1,
      max_deliver: 1,
    });
    return {
      stop: async () => {
        subscription.unsubscribe();
        // It may be gone already, or its server away; without a reader it then ends by itself.
        await manager.consumers.delete(stream, name).catch(() => undefined);
      },
    };
  } catch (error) {
    subscription.unsubscribe();
    throw error;
  }
}

class FeedReader {
  readonly #options: FeedOptions;
  #delivered = 0;
  #isBroken = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  take(error: Error | null, message: Msg): void {
    if (this.#isBroken) return;
    if (error !== null) this.#break();
    else if (message.headers?.code === 100) this.#control(message);
    else if (message.headers !== undefined && message.headers.code !== 0) this.#break();
    else this.#deliver(message);
  }

  /** Answers heartbeats and flow control at once, since messages are taken in as they arrive. */
  #control(message: Msg): void {
    const stalled = message.headers?.get("Nats-Consumer-Stalled") ?? "";
    if (message.reply !== undefined && message.reply !== "") message.respond();
    else if (stalled !== "") this.#options.connection.publish(stalled);
    const last = Number(message.headers?.get("Nats-Last-Consumer") || 0);
    if (last > this.#delivered) this.#break();
  }

  #deliver(message: Msg): void {
    const info = parseDelivery(message.reply ?? "");
    if (info.delivery !== this.#delivered + 1) {
      this.#break();
      return;
    }
    this.#delivered += 1;
    this.#options.onMessage(bucketMessage(message, this.#options.subjects, info));
  }

  #break(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#options.onBroken();
  }
}

/** `$JS.ACK.[domain.account.]stream.consumer.tries.sequence.delivery.nanoseconds.pending[.random]` */
function parseDelivery(reply: string) {
  const tokens = reply.split(".");
  const first = tokens.length === 9 ? 5 : 7;
  const [sequence = 0, delivery = 0, nanoseconds = 0, pending = 0] = tokens.slice(first, first + 4).map(Number);
  return { sequence, delivery, pending, at: Math.floor(nanoseconds / 1e6) };
}
