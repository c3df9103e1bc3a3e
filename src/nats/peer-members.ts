import { MAX_PEERS, PEER_MEMORY_MS, PEER_SILENCE_MS, type Peer, type PeerPosition } from "../store/peers.ts";
import type { PeerSender, SaidPosition } from "./peer-position.ts";

interface Member {
  readonly instance: string;
  readonly since: number;
  readonly position: PeerPosition;
  readonly heardAt: number;
  /** Sequence of the newest message of each kind. */
  readonly sequences: Map<string, number>;
}

/** How a sender's message counts. */
export type Hearing =
  | "fresh"
  /** The message, or a newer one, was heard before. */
  | "replayed"
  /** Nothing shows that this process is alive: its message may be a recording. */
  | "unproven";

/**
 * The processes that were found alive, by name; for each name, the one that was found last. Each message counts once, in the
 * order in which it was sent. Pure, except for what it remembers; times are monotonic.
 */
export class PeerMembers {
  readonly #members = new Map<string, Member>();

  /** @param kind Kind of message: each kind has an order of its own. A fresh message is remembered. */
  judge({ replica, instance, sequence }: PeerSender, kind: string): Hearing {
    const member = this.#members.get(replica);
    if (member?.instance !== instance) return "unproven";
    if (sequence <= (member.sequences.get(kind) ?? 0)) return "replayed";
    member.sequences.set(kind, sequence);
    return "fresh";
  }

  /**
   * Called when a process has proved by an answer, which cannot be a recording, that it is alive; what it said before does
   * not count. Returns whether it counts from now on, which it does not if it does not serve or there is no room for it.
   */
  prove({ sender, position }: SaidPosition, now: number): boolean {
    const { replica, instance, since, sequence } = sender;
    const known = this.#members.get(replica);
    if (position === undefined || (known === undefined && !this.#makeRoom(now))) return false;
    const sequences = known?.instance === instance ? known.sequences : new Map<string, number>();
    sequences.set(POSITION, Math.max(sequence, sequences.get(POSITION) ?? 0));
    this.#members.set(replica, { instance, since, position, heardAt: now, sequences });
    return true;
  }

  /** Takes in a fresh message. Returns whether it is news. */
  hear({ sender, position }: SaidPosition, now: number): boolean {
    const member = this.#members.get(sender.replica);
    if (member === undefined) return false;
    if (position === undefined) return this.#members.delete(sender.replica);
    this.#members.set(sender.replica, { ...member, position, heardAt: now });
    return JSON.stringify(position) !== JSON.stringify(member.position);
  }

  list(now: number): readonly Peer[] {
    const found: Peer[] = [];
    for (const [replica, { position, heardAt }] of this.#members) {
      const silentMs = now - heardAt;
      if (silentMs > PEER_MEMORY_MS) this.#members.delete(replica);
      else found.push({ replica, status: silentMs > PEER_SILENCE_MS ? "unknown" : "live", position, heardAt });
    }
    return found;
  }

  since(replica: string): number | undefined {
    return this.#members.get(replica)?.since;
  }

  /** Whether there is room for one more, after forgetting the longest silent one if necessary. */
  #makeRoom(now: number): boolean {
    const known = this.list(now);
    if (known.length < MAX_PEERS) return true;
    const [oldest] = known.filter(({ status }) => status === "unknown").toSorted((a, b) => a.heardAt - b.heardAt);
    return oldest !== undefined && this.#members.delete(oldest.replica);
  }
}

/** The kind of message that says where a replica stands. */
export const POSITION = "position";
