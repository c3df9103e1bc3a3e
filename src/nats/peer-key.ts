import { createSecretKey, type KeyObject } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import { ControlPlaneError } from "../domain/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";
import { storeFailure } from "./failure.ts";
import { publishBatch } from "./publish-batch.ts";
import type { StreamReader } from "./stream-reader.ts";

const KEY_BYTES = 32;
const TRIES = 5;
/** The bucket is asked at most this often whether the key is still the same. */
const LOOK_EVERY_MS = 1_000;

export interface PeerKeyOptions {
  readonly connection: NatsConnection;
  readonly reader: Pick<StreamReader, "last">;
  readonly subject: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * The key with which a bucket's replicas authenticate to each other: 32 random bytes in the bucket, made by the first
 * replica. It lies beside the state, not in it, so no backup, export or history holds it, and a restore leaves it alone.
 * Anybody who can read the bucket can read it; it protects nothing else.
 */
export class PeerKey {
  readonly #options: PeerKeyOptions;
  #bytes: Uint8Array;
  #key: KeyObject;
  #lookedAt: number;

  private constructor(options: PeerKeyOptions, bytes: Uint8Array) {
    this.#options = options;
    this.#bytes = bytes;
    this.#key = createSecretKey(bytes);
    this.#lookedAt = options.clock.monotonic();
  }

  /**
   * Reads the key, or makes it. A damaged key is replaced, and all replicas follow.
   *
   * @throws ControlPlaneError what the store refuses.
   */
  static async open(options: PeerKeyOptions): Promise<PeerKey> {
    const { connection, reader, subject, random } = options;
    for (let tries = 0; tries < TRIES; tries++) {
      const found = await reader.last(subject);
      if (found?.data.byteLength === KEY_BYTES) return new PeerKey(options, found.data);
      const value = random.secret(KEY_BYTES);
      const write = { subject, value, expected: found?.sequence ?? 0 };
      const outcome = await publishBatch(connection, { id: "", hidden: 0, writes: [write] });
      if (outcome.kind === "written") return new PeerKey(options, value);
      if (outcome.kind !== "conflict") throw storeFailure(outcome.error, "the bucket cannot be written");
    }
    throw new ControlPlaneError({
      kind: "unavailable",
      code: "STORE_UNREACHABLE",
      message: `${subject} can be neither read nor written: others write to it again and again`,
    });
  }

  get current(): KeyObject {
    return this.#key;
  }

  /**
   * Called when a message was not sealed with this key: it is somebody else's, or the bucket now has another key, since it
   * was made again. Looks the key up at most once a second.
   */
  doubt(): Promise<void> | undefined {
    const now = this.#options.clock.monotonic();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return undefined;
    this.#lookedAt = now;
    return this.#lookUp();
  }

  async #lookUp(): Promise<void> {
    const { reader, subject, logger } = this.#options;
    const found = await reader.last(subject).catch(() => undefined);
    if (found?.data.byteLength !== KEY_BYTES || Buffer.compare(found.data, this.#bytes) === 0) return;
    this.#bytes = found.data;
    this.#key = createSecretKey(found.data);
    logger.warn({ subject }, "the replicas' key in the bucket is another one now; it is used from here on");
  }
}
