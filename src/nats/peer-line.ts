import { createInbox, type Msg, type Subscription } from "@nats-io/transport-node";
import { nextTurn } from "../runtime/next-turn.ts";
import { MAX_QUESTION_BYTES, type PeerPosition } from "../store/peers.ts";
import type { BucketSession } from "./bucket-session.ts";
import { INBOX_PREFIX } from "./connect.ts";
import { listen } from "./listen.ts";
import type { PeerKey } from "./peer-key.ts";
import {
  decodePosition,
  encodePosition,
  MAX_POSITION_BYTES,
  type PeerSender,
  type SaidPosition,
} from "./peer-position.ts";
import {
  answerParts,
  decodePart,
  decodeQuestion,
  encodeQuestion,
  MAX_PART_BYTES,
  type PeerQuestion,
  QUESTION_HEAD_BYTES,
} from "./peer-question.ts";
import { SEAL_BYTES, seal, unseal } from "./peer-seal.ts";
import { peerRoot } from "./permissions.ts";
import type { RefusedPeerMessages } from "./refused-messages.ts";

const RETRY_PAUSE_MS = 20;

export interface PeerLineOptions
  extends Pick<BucketSession, "connection" | "bucket" | "clock" | "random" | "containment"> {
  readonly self: Omit<PeerSender, "sequence">;
  readonly key: Pick<PeerKey, "current" | "doubt">;
  readonly refused: RefusedPeerMessages;
}

/**
 * Messages between the replicas of a bucket over core NATS, sealed and checked. A message that arrives unsealed, too long
 * or malformed is counted and dropped; the caller decides which of the replicas to believe.
 */
export class PeerLine {
  readonly #options: PeerLineOptions;
  readonly #root: string;
  #sequence = 0;

  constructor(options: PeerLineOptions) {
    this.#options = options;
    this.#root = `${peerRoot(options.bucket)}.sealed`;
  }

  /** The sender of the next message, with its sequence. */
  sender(): PeerSender {
    this.#sequence += 1;
    return { ...this.#options.self, sequence: this.#sequence };
  }

  /** Tells all where this replica stands; undefined says goodbye. */
  tell(position: PeerPosition | undefined): void {
    const subject = this.#positionSubject(this.#options.self.replica);
    this.#send(subject, ["position", subject], encodePosition({ sender: this.sender(), position }));
  }

  /**
   * Calls `take` with what other processes say. Planes from before seals existed say it on another subject, so they need not
   * read these messages; theirs are only counted here.
   */
  onPosition(take: (said: SaidPosition, subject: string) => void): () => void {
    const unsealed = this.#listen(`${peerRoot(this.#options.bucket)}.position.*`, ({ subject }) => {
      this.#options.refused.note("unsigned", subject);
    });
    const sealed = this.#listen(this.#positionSubject(undefined), (message) => {
      const { subject } = message;
      const body = this.#open(message, ["position", subject], MAX_POSITION_BYTES);
      if (body === undefined) return;
      const said = decodePosition(body);
      // A replica speaks only for itself.
      if (said === undefined || subject !== this.#positionSubject(said.sender.replica)) {
        this.#options.refused.note("malformed", subject);
      } else if (said.sender.instance !== this.#options.self.instance) take(said, subject);
    });
    return () => {
      unsealed.unsubscribe();
      sealed.unsubscribe();
    };
  }

  /** Calls `reply` with each question, and sends what it returns; undefined sends no answer. */
  onQuestion(
    topic: string,
    reply: (question: PeerQuestion, subject: string) => Promise<Uint8Array | undefined>,
  ): Subscription {
    const asked = this.#questionSubject(this.#options.self.replica, topic);
    return this.#listen(asked, async (message) => {
      const inbox = message.reply ?? "";
      const body = this.#open(message, ["question", asked, inbox], MAX_QUESTION_BYTES + QUESTION_HEAD_BYTES);
      if (body === undefined) return;
      const question = decodeQuestion(body);
      // Nobody can make this replica publish anywhere but to an inbox.
      if (question === undefined || !inbox.startsWith(`${INBOX_PREFIX}.`)) {
        this.#options.refused.note("malformed", asked);
        return;
      }
      if (question.sender.instance === this.#options.self.instance) return;
      const answer = await reply(question, asked);
      if (answer === undefined) return;
      for (const part of answerParts(answer)) {
        this.#send(inbox, answerContext(asked, question.nonce), part);
        await new Promise<void>((resolve) => nextTurn(resolve));
      }
    });
  }

  /** Asks until somebody answers; undefined when nobody does in time. */
  async ask(
    replica: string,
    topic: string,
    { content, timeoutMs }: { readonly content: Uint8Array; readonly timeoutMs: number },
  ): Promise<Uint8Array | undefined> {
    const { clock } = this.#options;
    const until = clock.monotonic() + timeoutMs;
    for (;;) {
      const leftMs = Math.ceil(until - clock.monotonic());
      if (leftMs <= 0) return undefined;
      const outcome = await this.askOnce(replica, topic, { content, timeoutMs: leftMs });
      if (outcome !== "nobody listens") return outcome;
      // That is not final: word of a new listener takes a moment to reach every server.
      await clock.sleep(Math.min(RETRY_PAUSE_MS, leftMs));
    }
  }

  /** Undefined when there was no answer in time. */
  async askOnce(
    replica: string,
    topic: string,
    { content, timeoutMs }: { readonly content: Uint8Array; readonly timeoutMs: number },
  ): Promise<Uint8Array | "nobody listens" | undefined> {
    const { connection, clock, random, refused, containment } = this.#options;
    if (content.byteLength > MAX_QUESTION_BYTES) {
      const found = `it has ${content.byteLength} bytes; at most ${MAX_QUESTION_BYTES} (MAX_QUESTION_BYTES) are sent`;
      containment.note("peer", `question ${topic} to ${replica}`, new Error(found));
      return undefined;
    }
    if (connection.isClosed()) return undefined;
    const subject = this.#questionSubject(replica, topic);
    const nonce = random.id();
    const inbox = createInbox(INBOX_PREFIX);
    const { promise, resolve } = Promise.withResolvers<Uint8Array | "nobody listens" | undefined>();
    const parts = new Map<number, Uint8Array>();
    const subscription = this.#listen(inbox, (message) => {
      if (message.data.byteLength === 0 && message.headers?.code === 503) {
        resolve("nobody listens");
        return;
      }
      const body = this.#open(message, answerContext(subject, nonce), MAX_PART_BYTES);
      if (body === undefined) return;
      const part = decodePart(body);
      if (part === undefined) {
        refused.note("malformed", subject);
        return;
      }
      if (!parts.has(part.index)) parts.set(part.index, part.content);
      if (parts.size < part.count) return;
      resolve(Buffer.concat(Array.from({ length: part.count }, (_, index) => parts.get(index) ?? new Uint8Array())));
    });
    const cancel = clock.after(timeoutMs, () => resolve(undefined));
    try {
      const question = encodeQuestion({ sender: this.sender(), nonce, content });
      this.#send(subject, ["question", subject, inbox], question, inbox);
      return await promise;
    } finally {
      cancel();
      if (!connection.isClosed()) subscription.unsubscribe();
    }
  }

  #send(subject: string, context: readonly string[], body: Uint8Array, reply?: string): void {
    const { connection, key } = this.#options;
    if (connection.isClosed()) return;
    connection.publish(subject, seal(key.current, context, body), reply === undefined ? {} : { reply });
  }

  /** The sealed content; undefined, and noted, for anything else. */
  #open({ data, subject }: Msg, context: readonly string[], maxBytes: number): Uint8Array | undefined {
    const { key, refused, containment } = this.#options;
    if (data.byteLength > maxBytes + SEAL_BYTES) {
      refused.note("oversized", subject);
      return undefined;
    }
    const body = unseal(key.current, context, data);
    if (body !== undefined) return body;
    refused.note("unsigned", subject);
    containment.contain("peer", "the replicas' key", () => key.doubt());
    return undefined;
  }

  #listen(subject: string, take: (message: Msg) => unknown): Subscription {
    const { connection, containment, refused } = this.#options;
    return listen(connection, subject, { containment, source: "peer" }, (error, message) => {
      if (refused.isFlooded) return refused.note("flood", message.subject);
      return error === null ? take(message) : undefined;
    });
  }

  /** @param replica Undefined for all. */
  #positionSubject(replica: string | undefined): string {
    return `${this.#root}.position.${replica === undefined ? "*" : tokenOf(replica)}`;
  }

  #questionSubject(replica: string, topic: string): string {
    return `${this.#root}.ask.${tokenOf(replica)}.${tokenOf(topic)}`;
  }
}

/** The inbox is new for each question, but an answer also names the question that it answers. */
function answerContext(subject: string, nonce: string): readonly string[] {
  return ["answer", subject, nonce];
}

/** Names are free text; a subject's token is not. */
function tokenOf(name: string): string {
  return Buffer.from(name).toString("base64url");
}
