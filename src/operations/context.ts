import type { Mirror } from "../control/mirror.ts";
import type { NodeDirectory } from "../fleet/node-directory.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Pace } from "../runtime/pace.ts";
import type { Random } from "../runtime/random.ts";
import type { Archive } from "../store/archive.ts";
import type { Journal } from "../store/journal.ts";
import type { Peers } from "../store/peers.ts";
import { type Revision, reached } from "../store/revision.ts";
import type { StateStore } from "../store/state-store.ts";
import type { StoreStatus } from "../store/store.ts";
import type { AllChecks } from "./observing/checks.ts";
import type { CurrentConditions } from "./observing/current-conditions.ts";
import type { Finding } from "./observing/finding.ts";
import type { Onsets } from "./observing/onsets.ts";

export interface PlaneStart {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The revision up to which the state was restored. */
  readonly revision: Revision;
  readonly tookMs: number;
}

/** What the use cases work with. */
export interface Context {
  readonly store: StateStore;
  readonly journal: Journal;
  readonly archive: Archive;
  readonly mirror: Mirror;
  readonly conditions: CurrentConditions;
  readonly nodes: NodeDirectory;
  readonly peers: Pick<Peers, "list" | "ask" | "answer">;
  /** Absent where nothing is checked. */
  readonly checks?: AllChecks;
  /** When each thing that is derived began. */
  readonly onsets: Onsets;
  readonly clock: Clock;
  readonly pace: Pick<Pace, "breathe">;
  readonly random: Random;
  readonly plane: {
    readonly version: string;
    /** The name of this replica. */
    readonly replica: string;
    /** The encoding profiles that it supports. */
    readonly profiles: readonly number[];
    /** What it gives new fleets that name no networks. */
    readonly networksForNewFleets: readonly string[];
    /** When it began, and what it found then; absent where nothing is served to proxies. */
    readonly start?: PlaneStart;
  };
  readonly storeStatus: () => StoreStatus;
  /** What is wrong with the standing of this replica among the others. */
  readonly standing: () => readonly Finding[];
}

/** Who asks. */
export interface Caller {
  /** For the journal, and the owner of request ids: `cli:alice`, or the peer's address; the same for every try. */
  readonly actor: string;
  /** Aborted, with the error to throw as its reason, when the caller gave up or the plane stops. */
  readonly signal: AbortSignal;
  /** A digest of the request: the same for every try of it. Costs something with each call. */
  readonly requestDigest: () => Uint8Array;
}

/** Waits at most `ms` for the mirror to fold a revision. Returns whether it has. */
export async function foldedWithin(
  { mirror, clock }: Pick<Context, "mirror" | "clock">,
  revision: Revision,
  { ms, signal }: { ms: number; signal: AbortSignal },
): Promise<boolean> {
  if (reached(mirror.revision, revision)) return true;
  const enough = new AbortController();
  const stop = clock.after(ms, () => enough.abort());
  try {
    await mirror.reach(revision, AbortSignal.any([enough.signal, signal]));
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (enough.signal.aborted) return false;
    throw error;
  } finally {
    stop();
  }
}
