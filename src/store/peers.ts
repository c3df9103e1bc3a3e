import { printable } from "../domain/printable.ts";
import type { Revision } from "./revision.ts";

/** A replica that was not heard from for this long is unknown: what it said before no longer counts. */
export const PEER_SILENCE_MS = 2_000;
/** An unknown replica is listed for this long. */
export const PEER_MEMORY_MS = 300_000;
/** How many replicas are remembered besides this one. One more displaces the one that has been silent the longest. */
export const MAX_PEERS = 64;
/** How many questions from other replicas are answered concurrently. */
export const MAX_ANSWERING = 256;
/** Longest question to another replica, in bytes. */
export const MAX_QUESTION_BYTES = 512 * 1024;
/** Longest answer of one replica, in bytes. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Longest name of a replica; a character other than a letter, a digit, `_` or `-` counts as five, as it does in a key. */
export const MAX_REPLICA_NAME_LENGTH = 190;

/** Whether a replica may have this name: short enough for the keys that are made of it, and with nothing invisible in it. */
export function isReplicaName(text: string): boolean {
  if (text === "" || text.length > MAX_REPLICA_NAME_LENGTH || printable(text) !== text) return false;
  return text.replaceAll(/[^A-Za-z0-9_-]/g, "=0000").length <= MAX_REPLICA_NAME_LENGTH;
}

/** Why a message from outside is not accepted as a replica's; values of the label `reason`. */
export const REFUSED_REASONS = [
  "oversized",
  "unsigned",
  "malformed",
  "replayed",
  "unproven",
  "too_many",
  "flood",
] as const;
export type RefusedReason = (typeof REFUSED_REASONS)[number];

/** Messages that were refused for one reason. */
export interface RefusedMessages {
  readonly reason: RefusedReason;
  /** Since the process began. */
  readonly count: number;
  /** When the last was refused, in milliseconds since the epoch. */
  readonly at: number;
}

/** Where a replica stands. Small, because it is sent ten times a second. */
export interface PeerPosition {
  /** What it has folded and serves. */
  readonly revision: Revision;
  /** The digest of the state at that revision, to compare with that of others at the same revision. */
  readonly digest?: string;
  /** Why it holds everything back, for people; absent while it serves. */
  readonly held?: string;
  /** It saw for itself that the store went back; never set for what it only heard from others. */
  readonly storeWentBack?: true;
  /** The encoding profiles that it supports. */
  readonly profiles?: readonly number[];
  /** Grows whenever there is news about the proxies that it holds. */
  readonly news?: number;
  /** Grows whenever one of them comes or goes; absent from a release that does not say. */
  readonly turnover?: number;
}

export interface Peer {
  readonly replica: string;
  /** Unknown: it has been silent for `PEER_SILENCE_MS`. */
  readonly status: "live" | "unknown";
  /** The last that was heard. */
  readonly position: PeerPosition;
  readonly heardAt: number;
}

/**
 * What a replica answers. Undefined: the question cannot be read.
 *
 * @param asker The replica that asks, whose identity is proven.
 */
export type PeerHandler = (question: Uint8Array, asker: string) => Promise<Uint8Array | undefined>;

export interface PeerAnswer {
  readonly replica: string;
  /** Undefined: it did not answer in time, or could not. Never read this as "nothing there". */
  readonly answer: Uint8Array | undefined;
}

/**
 * The other replicas that share this store, and what they say. Only a live process that can read the store is heard at all;
 * whether what it says is true is another matter. Times are milliseconds of the local monotonic clock.
 */
export interface Peers {
  /** Tells the others where this replica stands, at once and then repeatedly; `position` is called each time. */
  announce(position: () => PeerPosition): void;
  /** The others, live and unknown. One that announced its leave is not among them. */
  list(): readonly Peer[];
  /**
   * Another process that is heard under this replica's own name, and when it began (milliseconds since the epoch). Refused at
   * start; met later only by one that could not be heard then.
   */
  namesake(): { readonly since: number } | undefined;
  /** Calls `listener` when a replica comes, goes, falls silent, or stands elsewhere. The returned function ends that. */
  onChange(listener: () => void): () => void;
  /**
   * Asks each replica of `list()`, and waits at most `timeoutMs` for their answers; not for one that is unknown already.
   * Never rejects because one is silent.
   *
   * @param question At most `MAX_QUESTION_BYTES`; an answer has at most `MAX_ANSWER_BYTES`.
   */
  ask(topic: string, question: Uint8Array, options: { readonly timeoutMs: number }): Promise<readonly PeerAnswer[]>;
  /** What this replica answers when it is asked; one handler per topic. The returned function removes it. */
  answer(topic: string, handler: PeerHandler): () => void;
  /** What was not believed, by reason; a reason that never occurred is absent. */
  refused(): readonly RefusedMessages[];
}

/** The peers of a store that one process has to itself: none. */
export const noPeers: Peers = {
  announce: () => {},
  list: () => [],
  namesake: () => undefined,
  onChange: () => () => {},
  ask: async () => [],
  answer: () => () => {},
  refused: () => [],
};
