import type { Peer, PeerHandler, PeerPosition, Peers } from "../../src/store/peers.ts";

interface Member {
  readonly topics: Map<string, PeerHandler>;
  readonly listeners: Set<() => void>;
  position: () => PeerPosition;
  /** As it was told last. */
  told: PeerPosition;
  silent: boolean;
}

/** Replicas in one process that hear each other at once, until one of them is made silent. */
export class PeerNetwork {
  readonly #members = new Map<string, Member>();

  join(name: string): Peers {
    const own: Member = {
      topics: new Map(),
      listeners: new Set(),
      position: () => NOWHERE,
      told: NOWHERE,
      silent: false,
    };
    this.#members.set(name, own);
    return {
      announce: (position) => {
        own.position = position;
        this.tell();
      },
      list: () => this.#others(name).map(([replica, member]) => peerOf(replica, member, own)),
      namesake: () => undefined,
      onChange: (listener) => {
        own.listeners.add(listener);
        return () => own.listeners.delete(listener);
      },
      ask: (topic, question) =>
        Promise.all(
          this.#others(name).map(async ([replica, member]) => {
            const handler = member.silent || own.silent ? undefined : member.topics.get(topic);
            return { replica, answer: await handler?.(question, name).catch(() => undefined) };
          }),
        ),
      answer: (topic, handler) => {
        own.topics.set(topic, handler);
        return () => own.topics.delete(topic);
      },
      refused: () => [],
    };
  }

  /** It neither hears nor is heard any more, or again. */
  silence(name: string, silent: boolean): void {
    const member = this.#members.get(name);
    if (member !== undefined) member.silent = silent;
    this.tell();
  }

  leave(name: string): void {
    this.#members.delete(name);
    this.tell();
  }

  /** Everybody hears news. */
  tell(): void {
    for (const member of this.#members.values()) member.told = member.position();
    for (const { listeners } of this.#members.values()) for (const listener of listeners) listener();
  }

  #others(name: string): [string, Member][] {
    return [...this.#members].filter(([replica]) => replica !== name);
  }
}

const NOWHERE: PeerPosition = { revision: { epoch: 0, position: 0 } };

function peerOf(replica: string, member: Member, own: Member): Peer {
  const status = member.silent || own.silent ? "unknown" : "live";
  return { replica, status, position: member.told, heardAt: 0 };
}
