import { printable } from "../domain/printable.ts";
import type { Revision } from "./revision.ts";

/** A replica from which nothing was heard for this long is unknown: what it said before counts for nothing. */
export const PEER_SILENCE_MS = 2_000;
/** An unknown replica is listed for this long. */
export const PEER_MEMORY_MS = 300_000;
/** Replicas that are remembered besides this one. One more pushes out the one that has been silent for the longest. */
export const MAX_PEERS = 64;
/** Questions of other replicas that are being answered at a time. */
export const MAX_ANSWERING = 256;
/** Longest question to another replica, in bytes. */
export const MAX_QUESTION_BYTES = 512 * 1024;
/** Longest answer of one replica, in bytes. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Longest name of a replica; a character other than a letter, a digit, `_` or `-` counts as five, as it does in a key. */
export const MAX_REPLICA_NAME_LENGTH = 190;

/** Whether a replica may have this name: short enough for the keys that are made of it, and nothing in it that does not show. */
export function isReplicaName(text: string): boolean {
  if (text === "" || text.length > MAX_REPLICA_NAME_LENGTH || printable(text) !== text) return false;
  return text.replaceAll(/[^A-Za-z0-9_-]/g, "=0000").length <= MAX_REPLICA_NAME_LENGTH;
}

/** Why a message from the outside is not taken for one of a replica; values of the label `reason`. */
export const PEER_REFUSALS = [
  "oversized",
  "unsigned",
  "malformed",
  "replayed",
  "unproven",
  "too_many",
  "flood",
] as const;
export type PeerRefusalReason = (typeof PEER_REFUSALS)[number];

/** Messages that were refused for one reason. */
export interface PeerRefusal {
  readonly reason: PeerRefusalReason;
  /** Since the process began. */
  readonly count: number;
  /** Of the last: milliseconds since the epoch. */
  readonly at: number;
}

/** Where a replica stands. Small: it is told ten times a second. */
export interface PeerPosition {
  /** What it has folded and serves. */
  readonly revision: Revision;
  /** Of the state at that revision, to be compared with that of others at the same revision. */
  readonly digest?: string;
  /** Why it holds everything back, for people; absent while it serves. */
  readonly held?: string;
  /** It saw itself that the store went back; never what it only heard of others. */
  readonly storeWentBack?: true;
  /** The encoding profiles that it supports. */
  readonly profiles?: readonly number[];
  /** Grows whenever there is news of the proxies that it holds. */
  readonly news?: number;
}

export type Peer =
  | { readonly replica: string; readonly status: "live"; readonly position: PeerPosition; readonly heardAt: number }
  /** Silent. `position` is the last that was heard. */
  | { readonly replica: string; readonly status: "unknown"; readonly position: PeerPosition; readonly heardAt: number };

/**
 * What a replica answers. Nothing: the question cannot be read.
 *
 * @param asker The replica that asks, proven.
 */
export type PeerHandler = (question: Uint8Array, asker: string) => Promise<Uint8Array | undefined>;

export interface PeerAnswer {
  readonly replica: string;
  /** Nothing: it did not answer in time, or could not. Never to be read as "nothing there". */
  readonly answer: Uint8Array | undefined;
}

/**
 * The other replicas that share this store, and what they say. Only what a live process says that can read the store is
 * heard at all; whether it is true is another matter. Times are milliseconds of the local monotonic clock.
 */
export interface Peers {
  /** Tells the others where this replica stands, at once and then again and again; asked each time. */
  announce(position: () => PeerPosition): void;
  /** The others, live and unknown. One that took its leave is not among them. */
  list(): readonly Peer[];
  /**
   * Another process that is heard under this replica's own name, and when it began (milliseconds since the epoch). Refused at
   * start; met later only by one that could not be heard then.
   */
  namesake(): { readonly since: number } | undefined;
  /** Called when a replica comes, goes, falls silent, or stands elsewhere than before. The returned function ends it. */
  onChange(listener: () => void): () => void;
  /**
   * Asks each replica of `list()`, and waits for their answers at most `timeoutMs`; one that is unknown already is not waited
   * for. Never rejects because one is silent.
   *
   * @param question At most `MAX_QUESTION_BYTES`; an answer has at most `MAX_ANSWER_BYTES`.
   */
  ask(topic: string, question: Uint8Array, options: { readonly timeoutMs: number }): Promise<readonly PeerAnswer[]>;
  /** What this replica answers when it is asked; one handler a topic. The returned function ends it. */
  answer(topic: string, handler: PeerHandler): () => void;
  /** What was not believed, by reason; a reason that never occurred is not in it. */
  refused(): readonly PeerRefusal[];
}

/** The peers of a store that one process has to itself: nobody. */
export const noPeers: Peers = {
  announce: () => {},
  list: () => [],
  namesake: () => undefined,
  onChange: () => () => {},
  ask: async () => [],
  answer: () => () => {},
  refused: () => [],
};
