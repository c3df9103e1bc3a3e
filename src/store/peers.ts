import type { Revision } from "./revision.ts";

/** A replica from which nothing was heard for this long is unknown: what it said before counts for nothing. */
export const PEER_SILENCE_MS = 2_000;
/** An unknown replica is listed for this long. */
export const PEER_MEMORY_MS = 300_000;

/** Where a replica stands. Small: it is told ten times a second. */
export interface PeerPosition {
  /** What it has folded and serves. */
  readonly revision: Revision;
  /** Of the state at that revision, to be compared with that of others at the same revision. */
  readonly digest?: string;
  /** Why it holds everything back; absent while it serves. */
  readonly held?: string;
  /** The encoding profiles that it supports. */
  readonly profiles?: readonly number[];
  /** Grows whenever there is news of the proxies that it holds. */
  readonly news?: number;
}

export type Peer =
  | { readonly replica: string; readonly status: "live"; readonly position: PeerPosition; readonly heardAt: number }
  /** Silent. `position` is the last that was heard. */
  | { readonly replica: string; readonly status: "unknown"; readonly position: PeerPosition; readonly heardAt: number };

export interface PeerAnswer {
  readonly replica: string;
  /** Nothing: it did not answer in time, or could not. Never to be read as "nothing there". */
  readonly answer: Uint8Array | undefined;
}

/** The other replicas that share this store, and what they say. Times are milliseconds of the local monotonic clock. */
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
   * for. Answers may be of any size. Never rejects because one is silent.
   */
  ask(topic: string, question: Uint8Array, options: { readonly timeoutMs: number }): Promise<readonly PeerAnswer[]>;
  /** What this replica answers when it is asked; one handler a topic. The returned function ends it. */
  answer(topic: string, handler: (question: Uint8Array) => Promise<Uint8Array>): () => void;
}

/** The peers of a store that one process has to itself: nobody. */
export const noPeers: Peers = {
  announce: () => {},
  list: () => [],
  namesake: () => undefined,
  onChange: () => () => {},
  ask: async () => [],
  answer: () => () => {},
};
