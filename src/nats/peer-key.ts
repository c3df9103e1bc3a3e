import { createSecretKey, type KeyObject } from "node:crypto";
import type { StoredMsg } from "@nats-io/jetstream";
import { unreachable } from "../store/errors.ts";
import type { BucketSession } from "./bucket-session.ts";
import { storeFailure } from "./failure.ts";
import { publishBatch } from "./publish-batch.ts";
import { lastMessage } from "./stream-message.ts";
import { subjectsOf } from "./subjects.ts";

const KEY_BYTES = 32;
const TRIES = 5;
/** The bucket is asked at most this often whether the key is still the same. */
const LOOK_EVERY_MS = 1_000;

type Session = Pick<BucketSession, "connection" | "manager" | "bucket" | "clock" | "random" | "logger">;

/**
 * The key with which a bucket's replicas authenticate to each other: 32 random bytes in the bucket, made by the first
 * replica. It lies beside the state, not in it, so no backup, export or history holds it, and a restore leaves it alone.
 * Anybody who can read the bucket can read it; it protects nothing else.
 */
export class PeerKey {
  readonly #session: Session;
  #key: KeyObject;
  #lookedAt: number;

  private constructor(session: Session, bytes: Uint8Array) {
    this.#session = session;
    this.#key = createSecretKey(bytes);
    this.#lookedAt = session.clock.monotonic();
  }

  /**
   * Reads the key, or makes it. A damaged key is replaced, and all replicas follow.
   *
   * @throws ControlPlaneError what the store refuses.
   */
  static async open(session: Session): Promise<PeerKey> {
    const { connection, random, bucket } = session;
    for (let tries = 0; tries < TRIES; tries++) {
      const found = await lookUp(session);
      if (found?.data.byteLength === KEY_BYTES) return new PeerKey(session, found.data);
      const value = random.secret(KEY_BYTES);
      const write = { subject: subjectsOf(bucket).peerKey, value, expected: found?.seq ?? 0 };
      const outcome = await publishBatch(connection, { writes: [write] });
      if (outcome.kind === "written") return new PeerKey(session, value);
      if (outcome.kind !== "conflict") throw storeFailure(outcome.error, "the bucket cannot be written");
    }
    throw unreachable(`the key of the replicas of bucket ${bucket} cannot be made: others keep writing another one`);
  }

  get current(): KeyObject {
    return this.#key;
  }

  /**
   * Called when a message was not sealed with this key: it is somebody else's, or the bucket now has another key, since it
   * was made again. Looks the key up at most once a second.
   */
  doubt(): Promise<void> | undefined {
    const now = this.#session.clock.monotonic();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return undefined;
    this.#lookedAt = now;
    return this.#lookUp();
  }

  async #lookUp(): Promise<void> {
    const found = await lookUp(this.#session).catch(() => undefined);
    if (found?.data.byteLength !== KEY_BYTES) return;
    const key = createSecretKey(found.data);
    if (key.equals(this.#key)) return;
    this.#key = key;
    const { logger, bucket } = this.#session;
    logger.warn({ bucket }, "the replicas' key in the bucket has changed; the new one is used from now on");
  }
}

async function lookUp({ manager, bucket }: Session): Promise<StoredMsg | undefined> {
  const { stream, peerKey: subject } = subjectsOf(bucket);
  return await lastMessage(manager, { stream, subject });
}
