import { headers, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import { ControlPlaneError } from "../domain/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import {
  PEER_MEMORY_MS,
  PEER_SILENCE_MS,
  type Peer,
  type PeerAnswer,
  type PeerPosition,
  type Peers,
} from "../store/peers.ts";

import { peerRoot } from "./permissions.ts";

const INTERVAL_MS = 100;
const RETRY_PAUSE_MS = 20;
/** An answer goes in parts of so many bytes, well below what a server takes by default, and ends with a message that counts them. */
const PART_BYTES = 256 * 1024;
const PARTS_HEADER = "Fairlead-Parts";
/** Answered by whoever bears the name already. */
const NAME_TOPIC = "name";

export interface NatsPeersOptions {
  readonly connection: NatsConnection;
  readonly bucket: string;
  readonly replica: string;
  /** Of this process alone: tells it from another one of the same name. */
  readonly instance: string;
  readonly clock: Clock;
}

interface Heard {
  readonly position: PeerPosition;
  readonly heardAt: number;
}

/** Replicas that tell each other where they stand, over core NATS: what is lost is said again a moment later. */
export class NatsPeers implements Peers {
  readonly #options: NatsPeersOptions;
  readonly #root: string;
  readonly #token: string;
  readonly #heard = new Map<string, Heard>();
  readonly #listeners = new Set<() => void>();
  readonly #subscription: Subscription;
  readonly #since: number;
  #position: (() => PeerPosition) | undefined;
  #namesake: { readonly since: number; readonly heardAt: number } | undefined;
  #unknown = 0;
  #cancel: () => void;

  constructor(options: NatsPeersOptions) {
    this.#options = options;
    this.#root = peerRoot(options.bucket);
    this.#token = tokenOf(options.replica);
    this.#since = options.clock.now();
    this.#subscription = options.connection.subscribe(`${this.#root}.position.*`, {
      callback: (_, message) => this.#hear(message),
    });
    this.#cancel = options.clock.after(INTERVAL_MS, () => this.#tell());
  }

  /**
   * Takes the name, unless another process bears it. At once where nobody listens under it any more; one that listens and does
   * not answer is waited for as long as silence needs to count.
   *
   * @throws ControlPlaneError `precondition` / `REPLICA_NAME_TAKEN`.
   */
  async takeName(): Promise<void> {
    const subject = `${this.#root}.ask.${this.#token}.${tokenOf(NAME_TOPIC)}`;
    const bearer = await this.#options.connection
      .request(subject, undefined, { timeout: PEER_SILENCE_MS })
      .then((message) => message.json<NameWords>())
      .catch(() => undefined);
    if (bearer !== undefined) this.#withdraw(bearer);
    this.answer(NAME_TOPIC, async () => Buffer.from(JSON.stringify({ since: this.#since } satisfies NameWords)));
  }

  /** For those that start at the same moment: whoever serves first has the name. */
  assertNamesakeUnheard(): void {
    const namesake = this.namesake();
    if (namesake !== undefined) this.#withdraw(namesake);
  }

  #withdraw({ since }: NameWords): never {
    this.stop();
    const { replica, bucket } = this.#options;
    const when = new Date(since).toISOString();
    throw new ControlPlaneError({
      kind: "precondition",
      code: "REPLICA_NAME_TAKEN",
      message: `another plane named ${replica} serves the bucket ${bucket} since ${when}; give --replica another name`,
      details: { replica, bucket },
    });
  }

  namesake(): { readonly since: number } | undefined {
    const heard = this.#namesake;
    const isLive = heard !== undefined && this.#options.clock.monotonic() - heard.heardAt <= PEER_SILENCE_MS;
    return isLive ? heard : undefined;
  }

  announce(position: () => PeerPosition): void {
    this.#position = position;
    this.#publish(position());
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  list(): readonly Peer[] {
    const now = this.#options.clock.monotonic();
    return [...this.#heard].flatMap(([replica, heard]): Peer[] => {
      const silentMs = now - heard.heardAt;
      if (silentMs > PEER_MEMORY_MS) {
        this.#heard.delete(replica);
        return [];
      }
      return [{ replica, status: silentMs > PEER_SILENCE_MS ? "unknown" : "live", ...heard }];
    });
  }

  async ask(topic: string, question: Uint8Array, { timeoutMs }: { timeoutMs: number }): Promise<readonly PeerAnswer[]> {
    const until = this.#options.clock.monotonic() + timeoutMs;
    return await Promise.all(
      this.list().map(async ({ replica, status }) => {
        if (status === "unknown") return { replica, answer: undefined };
        const subject = `${this.#root}.ask.${tokenOf(replica)}.${tokenOf(topic)}`;
        return { replica, answer: await this.#askOne(subject, question, until) };
      }),
    );
  }

  /** That nobody listens is no answer: word of a new listener takes a moment to reach every server. */
  async #askOne(subject: string, question: Uint8Array, until: number): Promise<Uint8Array | undefined> {
    const { connection, clock } = this.#options;
    for (;;) {
      const timeout = Math.ceil(until - clock.monotonic());
      if (timeout <= 0 || connection.isClosed()) return undefined;
      const enough = new AbortController();
      try {
        // The client ends its own wait only once a server has answered it.
        const tooLate = clock.sleep(timeout, enough.signal).then(() => undefined);
        return await Promise.race([this.#gather(subject, question, timeout), tooLate]);
      } catch {
        await clock.sleep(Math.min(RETRY_PAUSE_MS, timeout));
      } finally {
        enough.abort();
      }
    }
  }

  async #gather(subject: string, question: Uint8Array, maxWait: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    const replies = await this.#options.connection.requestMany(subject, question, {
      strategy: "sentinel",
      maxWait,
      noMux: true,
    });
    for await (const { data, headers } of replies) {
      if (data.length > 0) parts.push(data);
      else if (Number(headers?.get(PARTS_HEADER)) === parts.length) return Buffer.concat(parts);
    }
    throw new Error("a part of the answer is missing");
  }

  answer(topic: string, handler: (question: Uint8Array) => Promise<Uint8Array>): () => void {
    const reply = async (message: Msg) => {
      try {
        const answer = await handler(message.data);
        let parts = 0;
        for (; parts * PART_BYTES < answer.length; parts++) {
          message.respond(answer.subarray(parts * PART_BYTES, (parts + 1) * PART_BYTES));
        }
        const end = headers();
        end.set(PARTS_HEADER, String(parts));
        message.respond(undefined, { headers: end });
      } catch {
        // Whoever asked waits in vain, and then counts this replica as unknown: which it is.
      }
    };
    const subject = `${this.#root}.ask.${this.#token}.${tokenOf(topic)}`;
    const subscription = this.#options.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) void reply(message);
      },
    });
    return () => subscription.unsubscribe();
  }

  /** Takes leave, so that the others do not miss this replica. */
  stop(): void {
    this.#cancel();
    const { connection } = this.#options;
    const wasAnnounced = this.#position !== undefined;
    this.#position = undefined;
    if (wasAnnounced && !connection.isClosed())
      connection.publish(`${this.#root}.position.${this.#token}`, JSON.stringify(this.#words()));
    this.#subscription.unsubscribe();
  }

  #tell(): void {
    if (this.#position !== undefined) this.#publish(this.#position());
    const unknown = this.list().filter(({ status }) => status === "unknown").length;
    if (unknown !== this.#unknown) this.#changed();
    this.#unknown = unknown;
    this.#cancel = this.#options.clock.after(INTERVAL_MS, () => this.#tell());
  }

  #publish(position: PeerPosition): void {
    const { connection } = this.#options;
    if (connection.isClosed()) return;
    connection.publish(`${this.#root}.position.${this.#token}`, JSON.stringify(this.#words(position)));
  }

  #words(position?: PeerPosition): Words {
    const { replica, instance } = this.#options;
    return { replica, instance, since: this.#since, ...(position && { position }) };
  }

  #hear(message: Msg): void {
    const { replica, instance, since, position } = message.json<Words>();
    if (replica === this.#options.replica) {
      if (instance === this.#options.instance) return;
      this.#namesake = position && { since, heardAt: this.#options.clock.monotonic() };
      return;
    }
    const before = JSON.stringify(this.#heard.get(replica)?.position);
    if (position === undefined) this.#heard.delete(replica);
    else this.#heard.set(replica, { position, heardAt: this.#options.clock.monotonic() });
    if (before !== JSON.stringify(position)) this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** No position: the replica takes its leave. */
interface Words {
  readonly replica: string;
  readonly instance: string;
  /** When its process began, in milliseconds since the epoch. */
  readonly since: number;
  readonly position?: PeerPosition;
}

type NameWords = Pick<Words, "since">;

/** Names are free text; a subject's token is not. */
function tokenOf(name: string): string {
  return Buffer.from(name).toString("base64url");
}
