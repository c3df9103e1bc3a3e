import { MAX_PEERS, PEER_MEMORY_MS, PEER_SILENCE_MS, type Peer, type PeerPosition } from "../store/peers.ts";
import type { PeerSender, SaidPosition } from "./peer-position.ts";

interface Member {
  readonly instance: string;
  readonly since: number;
  readonly position: PeerPosition;
  readonly heardAt: number;
  /** Of the newest message of each kind. */
  readonly sequences: Map<string, number>;
}

/** What a message of a sender counts for. */
export type Hearing =
  | "fresh"
  /** It was heard before, or is older than what was. */
  | "replayed"
  /** Nothing shows that this process lives: what it said may be a recording. */
  | "unproven";

/**
 * The processes that were found to live, by the name that each bears; of one name, the one that was found last. What they
 * say counts once, in the order in which they said it. Pure, but for what it remembers; times are monotonic.
 */
export class PeerMembers {
  readonly #members = new Map<string, Member>();

  /** @param kind Of message: each kind has an order of its own. A fresh message is taken note of. */
  judge({ replica, instance, sequence }: PeerSender, kind: string): Hearing {
    const member = this.#members.get(replica);
    if (member?.instance !== instance) return "unproven";
    if (sequence <= (member.sequences.get(kind) ?? 0)) return "replayed";
    member.sequences.set(kind, sequence);
    return "fresh";
  }

  /**
   * A process has shown that it lives, by an answer that nobody could have recorded; what it told before that counts for
   * nothing. Says whether it counts from here on: not one that does not serve, or for which there is no room.
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

  /** Takes in what a fresh message says. Says whether it is news. */
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

  /** Whether there is room for one more, once the one that has been silent for the longest is forgotten. */
  #makeRoom(now: number): boolean {
    const known = this.list(now);
    if (known.length < MAX_PEERS) return true;
    const [oldest] = known.filter(({ status }) => status === "unknown").toSorted((a, b) => a.heardAt - b.heardAt);
    return oldest !== undefined && this.#members.delete(oldest.replica);
  }
}

/** The kind of message that says where a replica stands. */
export const POSITION = "position";
