import type { Registry } from "./resource-types.ts";
import type { SharedTables } from "./shared-tables.ts";

/** What one stream is told once about its client and its server. */
export type StreamSettings = {
  readonly variant: "sotw" | "delta";
  readonly registry: Registry;
  /** Whether several types share this stream, so that one can wait for another. */
  readonly aggregated: boolean;
  /** Prefixes of its nonces: `own` differs from that of any other stream, `shared` from that of any other server (xds C3). */
  readonly nonceTags: { readonly own: string; readonly shared: string };
  /** How long one resource waits for another before it goes anyway. */
  readonly waitMs: number;
  /** How long a response of an overtaking type (CDS) keeps back an unrelated one. */
  readonly overtakeMs: number;
  /** How long after its first request of a type a resumed client may still be expected to ask for more types. */
  readonly settleMs: number;
  /** When a refused response is tried again though nothing in it has changed: what it ran into may have gone. */
  readonly retry: {
    /** The wait before the first retry, and the least wait between any two of one type. */
    readonly baseMs: number;
    /** Each wait is twice the one before it, up to this. */
    readonly maxMs: number;
    /** From 0 to 1, different for each stream: lengthens waits by up to half, so that a fleet does not retry at once. */
    readonly spread: number;
  };
  /** Largest response; one resource larger than this is held. */
  readonly maxResponseBytes: number;
  /**
   * Most names in one response that were asked for and do not exist; the rest follow when the client has acknowledged
   * these. Each costs an answer of its own, and a client may ask for whatever it likes.
   */
  readonly maxAbsent: number;
  /**
   * The client applies what is good of a SotW response that it refuses, and then presents the version of that response
   * beside its error (xds R29). Of others, such an error is about an earlier response (xds R27).
   */
  readonly takesPartly: boolean;
  /** The client honours `Resource.ttl` in this variant (xds R10). */
  readonly honoursTtl: boolean;
  /** Shared by all streams of a server, so that what they have in common is kept once. */
  readonly tables?: SharedTables;
};
