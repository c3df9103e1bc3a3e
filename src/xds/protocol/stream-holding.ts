import type { ResourceKey } from "./resource.ts";
import type { ResourceHolding } from "./resource-holding.ts";

/** Who a stream belongs to. */
export type StreamRef = {
  /** Unique in this process. */
  readonly streamId: string;
  readonly node: {
    readonly id: string;
    readonly cluster: string;
    readonly userAgentName: string;
    readonly userAgentVersion: string;
    /** Empty texts, or absent, where it names none. */
    readonly locality?: { readonly region: string; readonly zone: string };
  };
  /** `address` is `address:port`. */
  readonly peer: { readonly address: string };
  readonly variant: "delta" | "sotw";
  /** The group whose resources it is served. */
  readonly group: string | undefined;
  /** Its method, if a client has only one stream of that method: aggregated streams, and those of the wildcard types. */
  readonly sole?: string | undefined;
};

/** What a client has of one type on one stream. It reads live state, so take what you need at once. */
export type TypeHolding = {
  readonly typeUrl: string;
  /** `CDS`, `EDS`, … */
  readonly shortName: string;
  readonly wildcard: boolean;
  readonly subscribed: number;
  readonly acks: number;
  readonly nacks: number;
  /** Responses that await an ACK or a NACK, and since when (ms since the epoch). */
  readonly inFlight: readonly { readonly nonce: string; readonly sentAt: number; readonly resources: number }[];
  /** Whether anything will be sent as soon as it may be; does not count what waits for the end of a refusal. */
  readonly isDue: boolean;
  /** Names that the client asks for under which there is nothing; costs as much as it asks for. */
  readonly missing: readonly string[];
  /** How many `resources` there are. */
  readonly known: number;
  /** Those of them that the client refused, and those that are held back; costs only as much as there are of these. */
  readonly refused: readonly ResourceHolding[];
  readonly held: readonly ResourceHolding[];
  /**
   * Resources that wait for the end of another one's refusal, and count as nothing due until then, each with the
   * publication that it waits for.
   */
  readonly blocked: readonly { readonly name: string; readonly on: ResourceKey; readonly publication: number }[];
  /** Everything that was or will be sent; described anew each time it is read, which is expensive when there is much. */
  readonly resources: readonly ResourceHolding[];
  /** One of `resources`. */
  resource(name: string): ResourceHolding | undefined;
  /** The bytes last sent under a name; undefined if nothing, or a removal, was sent. */
  body(name: string): Uint8Array | undefined;
  /** The same as JSON without secrets. */
  content(name: string): string | undefined;
};

/** What a client has on one stream. All reports of it encode this and its parts, as they do `ResourceHolding`. */
export type StreamHolding = StreamRef & {
  /** Why nothing is sent, or undefined when the stream is served. */
  readonly silent: string | undefined;
  /** Since when nothing is sent, whatever the reasons were, in milliseconds since the epoch. */
  readonly silentSince?: number | undefined;
  /** Another open stream of the same kind names the same node. */
  readonly duplicate: boolean;
  /** The oldest publication with anything due, in flight or held; undefined when all is settled. */
  readonly oldestPending: number | undefined;
  readonly types: readonly TypeHolding[];
};
