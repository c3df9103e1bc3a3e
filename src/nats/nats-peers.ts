import { ControlPlaneError } from "../domain/errors.ts";
import {
  MAX_ANSWERING,
  PEER_SILENCE_MS,
  type Peer,
  type PeerAnswer,
  type PeerHandler,
  type PeerPosition,
  type Peers,
  type RefusedMessages,
} from "../store/peers.ts";
import type { BucketSession } from "./bucket-session.ts";
import type { PeerKey } from "./peer-key.ts";
import { PeerLine } from "./peer-line.ts";
import { PeerMembers, POSITION } from "./peer-members.ts";
import { decodePosition, encodePosition, type PeerSender, type SaidPosition } from "./peer-position.ts";
import { decodeNameQuestion, encodeNameQuestion, type PeerQuestion } from "./peer-question.ts";
import { RefusedPeerMessages } from "./refused-messages.ts";

const INTERVAL_MS = 100;
/** Asked of the bearer of a name: at start, and of each process heard for the first time, to see that it is alive. */
const NAME_TOPIC = "name";
const PROOF_WITHIN_MS = 1_000;
/** A process is not asked again before this time is over. */
const PROOF_PAUSE_MS = 200;
/** Most processes that are being asked, or were a moment ago, whether they are alive. */
const MAX_PROOFS = 64;

export interface NatsPeersOptions extends BucketSession {
  readonly key: Pick<PeerKey, "current" | "doubt">;
}

/**
 * Replicas tell each other where they stand over core NATS: a lost message is repeated a moment later.
 *
 * Anybody may publish there, and record messages. So a replica accepts only messages that are sealed with the key in the
 * bucket, by a process that has answered this replica's question, which no recording can, and accepts each only once.
 */
export class NatsPeers implements Peers {
  readonly #options: NatsPeersOptions;
  readonly #line: PeerLine;
  readonly #members = new PeerMembers();
  readonly #refused: RefusedPeerMessages;
  readonly #proofs = new Map<string, Promise<boolean>>();
  readonly #listeners = new Set<() => void>();
  readonly #stopHearing: () => void;
  /** Id of this process, which distinguishes it from another of the same name. */
  readonly #instance: string;
  #position: (() => PeerPosition) | undefined;
  #answering = 0;
  #waiting = 0;
  #unknown = 0;
  #isStopped = false;
  #cancel: () => void = () => {};

  constructor(options: NatsPeersOptions) {
    this.#options = options;
    const { replica, clock, random } = options;
    this.#instance = random.id();
    this.#refused = new RefusedPeerMessages(options);
    const self = { replica, instance: this.#instance, since: clock.now() };
    this.#line = new PeerLine({ ...options, self, refused: this.#refused });
    this.#stopHearing = this.#line.onPosition((said, subject) => this.#hear(said, subject));
    this.#tellLater();
  }

  /**
   * Takes the name, unless another process bears it. It does so at once if nobody listens under the name; a process that
   * listens but does not answer is given the time of the silence limit.
   *
   * @throws ControlPlaneError `precondition` / `REPLICA_NAME_TAKEN`.
   */
  async takeName(): Promise<void> {
    const content = encodeNameQuestion(undefined);
    const timeoutMs = PEER_SILENCE_MS;
    const answer = await this.#line.askOnce(this.#options.replica, NAME_TOPIC, { content, timeoutMs });
    const bearer = answer instanceof Uint8Array ? decodePosition(answer) : undefined;
    if (bearer !== undefined) this.#withdraw(bearer.sender);
    this.#line.onQuestion(NAME_TOPIC, async ({ content: question }) => {
      const asked = decodeNameQuestion(question);
      if (asked === undefined || (asked.instance ?? this.#instance) !== this.#instance) return undefined;
      return encodePosition({ sender: this.#line.sender(), position: this.#position?.() });
    });
  }

  /** For processes that start at the same moment: the first one to serve has the name. */
  async assertNamesakeUnheard(): Promise<void> {
    await Promise.all(this.#proofs.values());
    const namesake = this.namesake();
    if (namesake !== undefined) this.#withdraw(namesake);
  }

  #withdraw({ since }: Pick<PeerSender, "since">): never {
    this.stop();
    const { replica, bucket } = this.#options;
    const when = new Date(since).toISOString();
    throw new ControlPlaneError({
      kind: "precondition",
      code: "REPLICA_NAME_TAKEN",
      message: `another plane named ${replica} has served the bucket ${bucket} since ${when}; give this one another name with --replica`,
      details: { replica, bucket },
    });
  }

  namesake(): { readonly since: number } | undefined {
    const { replica } = this.#options;
    const found = this.#known().find((peer) => peer.replica === replica && peer.status === "live");
    return found && { since: this.#members.since(replica) ?? 0 };
  }

  announce(position: () => PeerPosition): void {
    this.#position = position;
    this.#line.tell(position());
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  list(): readonly Peer[] {
    return this.#known().filter(({ replica }) => replica !== this.#options.replica);
  }

  refused(): readonly RefusedMessages[] {
    return this.#refused.list();
  }

  async ask(topic: string, question: Uint8Array, { timeoutMs }: { timeoutMs: number }): Promise<readonly PeerAnswer[]> {
    return await Promise.all(
      this.list().map(async ({ replica, status }) => {
        if (status === "unknown") return { replica, answer: undefined };
        return { replica, answer: await this.#line.ask(replica, topic, { content: question, timeoutMs }) };
      }),
    );
  }

  answer(topic: string, handler: PeerHandler): () => void {
    const subscription = this.#line.onQuestion(topic, (question, subject) =>
      this.#reply(question, { topic, subject, handler }),
    );
    return () => subscription.unsubscribe();
  }

  /** Says goodbye, so the others do not miss this replica. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel();
    const wasAnnounced = this.#position !== undefined;
    this.#position = undefined;
    if (wasAnnounced) this.#line.tell(undefined);
    this.#stopHearing();
  }

  /** An asker that gets no answer counts this replica as unknown. */
  async #reply(
    { sender, content }: PeerQuestion,
    { topic, subject, handler }: { readonly topic: string; readonly subject: string; readonly handler: PeerHandler },
  ): Promise<Uint8Array | undefined> {
    const kind = `question ${topic}`;
    let hearing = this.#members.judge(sender, kind);
    if (hearing === "unproven" && (await this.#proveAsker(sender))) hearing = this.#members.judge(sender, kind);
    if (hearing !== "fresh" || this.#answering >= MAX_ANSWERING) {
      this.#refused.note(hearing === "fresh" ? "too_many" : hearing, subject);
      return undefined;
    }
    this.#answering += 1;
    try {
      const answer = await handler(content, sender.replica);
      if (answer === undefined) this.#refused.note("malformed", subject);
      return answer;
    } finally {
      this.#answering -= 1;
    }
  }

  /** Questions that wait for a proof take no slot of those being answered: they may be recordings. */
  async #proveAsker(sender: PeerSender): Promise<boolean> {
    if (this.#waiting >= MAX_ANSWERING) return false;
    this.#waiting += 1;
    return await this.#prove(sender).finally(() => {
      this.#waiting -= 1;
    });
  }

  #hear(said: SaidPosition, subject: string): void {
    const { clock, containment } = this.#options;
    const hearing = this.#members.judge(said.sender, POSITION);
    if (hearing === "fresh") {
      if (this.#members.hear(said, clock.monotonic())) this.#changed();
    } else if (hearing === "replayed") {
      this.#refused.note("replayed", subject);
    } else if (said.position !== undefined) {
      containment.contain("peer", subject, async () => {
        if (!(await this.#prove(said.sender))) this.#refused.note("unproven", subject);
      });
    }
  }

  /** Asks a process for a sign of life. Concurrent calls share one question. */
  #prove({ replica, instance }: PeerSender): Promise<boolean> {
    const id = `${replica} ${instance}`;
    const underWay = this.#proofs.get(id);
    if (underWay !== undefined) return underWay;
    if (this.#proofs.size >= MAX_PROOFS || this.#isStopped) return Promise.resolve(false);
    const proof = this.#askForProof(replica, instance).finally(() => {
      this.#options.clock.after(PROOF_PAUSE_MS, () => this.#proofs.delete(id));
    });
    this.#proofs.set(id, proof);
    return proof;
  }

  async #askForProof(replica: string, instance: string): Promise<boolean> {
    const content = encodeNameQuestion(instance);
    const answer = await this.#line.askOnce(replica, NAME_TOPIC, { content, timeoutMs: PROOF_WITHIN_MS });
    const said = answer instanceof Uint8Array ? decodePosition(answer) : undefined;
    if (said === undefined || said.sender.replica !== replica || said.sender.instance !== instance) return false;
    if (said.position === undefined) return false;
    if (!this.#members.prove(said, this.#options.clock.monotonic())) {
      this.#refused.note("too_many", replica);
      return false;
    }
    this.#changed();
    return true;
  }

  #known(): readonly Peer[] {
    return this.#members.list(this.#options.clock.monotonic());
  }

  #tellLater(): void {
    const { clock, containment } = this.#options;
    this.#cancel = clock.after(INTERVAL_MS, () => {
      this.#tellLater();
      containment.contain("timer", "word to the replicas", () => this.#tell());
    });
  }

  #tell(): void {
    if (this.#position !== undefined) this.#line.tell(this.#position());
    const unknown = this.list().filter(({ status }) => status === "unknown").length;
    if (unknown !== this.#unknown) this.#changed();
    this.#unknown = unknown;
  }

  #changed(): void {
    for (const listener of this.#listeners) this.#options.containment.contain("peer", "news of a replica", listener);
  }
}
