/** Somebody on the planes' NATS servers who is no plane: hears all that they say, and says what he likes. */
import { createSecretKey } from "node:crypto";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { encodePosition, type SaidPosition } from "../../src/nats/peer-position.ts";
import { seal } from "../../src/nats/peer-seal.ts";
import { subjectsOf } from "../../src/nats/subjects.ts";

export interface Heard {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly data: Uint8Array;
}

export class PeerForger implements AsyncDisposable {
  readonly connection: NatsConnection;
  readonly bucket: string;
  readonly heard: Heard[] = [];

  private constructor(connection: NatsConnection, bucket: string) {
    this.connection = connection;
    this.bucket = bucket;
  }

  static async open(servers: readonly string[], bucket: string): Promise<PeerForger> {
    return new PeerForger(await connect({ servers: [...servers] }), bucket);
  }

  /** Takes note of all that is said from here on. A plane that starts meanwhile waits in vain for whoever has its name. */
  async record(): Promise<void> {
    for (const all of [`fairlead.${this.bucket}.>`, "_INBOX_fairlead.>"]) {
      await this.answer(all, ({ subject, reply, data }) => {
        this.heard.push({ subject, reply, data: data.slice() });
      });
    }
  }

  async answer(subject: string, reply: (message: Msg) => void): Promise<void> {
    this.connection.subscribe(subject, { callback: (_, message) => reply(message) });
    await this.connection.flush();
  }

  positionSubject(replica: string): string {
    return `fairlead.${this.bucket}.sealed.position.${token(replica)}`;
  }

  questionSubject(replica: string, topic: string): string {
    return `fairlead.${this.bucket}.sealed.ask.${token(replica)}.${token(topic)}`;
  }

  /** Says it, and waits until the server has passed it on. */
  async say(subject: string, data: Uint8Array | string, reply?: string): Promise<void> {
    this.connection.publish(subject, data, reply === undefined ? {} : { reply });
    await this.connection.flush();
  }

  async sayAgain(messages: readonly Heard[]): Promise<void> {
    for (const { subject, data, reply } of messages) await this.say(subject, data, reply);
  }

  /** What lies in the bucket for those who can read it. */
  async key() {
    const manager = await jetstreamManager(this.connection);
    const found = await manager.streams.getMessage(`KV_${this.bucket}`, {
      last_by_subj: subjectsOf(this.bucket).peerKey,
    });
    return createSecretKey(found?.data ?? new Uint8Array());
  }

  /** A position as a plane would say it that can read the bucket. */
  async sealedPosition(said: SaidPosition, subject = this.positionSubject(said.sender.replica)): Promise<Uint8Array> {
    return seal(await this.key(), ["position", subject], encodePosition(said));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}

function token(name: string): string {
  return Buffer.from(name).toString("base64url");
}
