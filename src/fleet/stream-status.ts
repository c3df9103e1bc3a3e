import type { ResourceHolding } from "../xds/protocol/resource-holding.ts";

/** Who a stream belongs to. */
export interface StreamRef {
  /** Unique in this process. */
  readonly streamId: string;
  readonly node: { readonly id: string; readonly cluster: string; readonly userAgentVersion: string };
  readonly peer: { readonly address: string };
  readonly variant: "delta" | "sotw";
  /** The group it is served as: those proxies of one fleet that can take the same resources. */
  readonly group: string | undefined;
  /** Its method, if a proxy has only one stream of that method. */
  readonly sole?: string | undefined;
}

/** A stream as the xDS server describes it. */
export interface StreamStatus extends StreamRef {
  readonly silent: string | undefined;
  /** Milliseconds since the epoch. */
  readonly silentSince?: number | undefined;
  readonly duplicate: boolean;
  /** The oldest publication with anything due, in flight or held. */
  readonly oldestPending: number | undefined;
  readonly types: readonly StreamType[];
}

export interface StreamType {
  readonly typeUrl: string;
  readonly shortName: string;
  readonly inFlight: readonly unknown[];
  /** Whether anything will be sent as soon as it may be. */
  readonly isDue: boolean;
  /** How many `resources` there are. */
  readonly known: number;
  /** Those of them that were refused, and those that are held back. */
  readonly refused: readonly ResourceHolding[];
  readonly held: readonly ResourceHolding[];
  /** Those that wait until another resource is no longer refused, each with the publication that it waits for. */
  readonly blocked: readonly {
    readonly name: string;
    readonly on: { readonly typeUrl: string; readonly name: string };
    readonly publication: number;
  }[];
  /** Expensive to read when there are many. */
  readonly resources: readonly ResourceHolding[];
  resource(name: string): ResourceHolding | undefined;
}

/** The open streams of this replica. */
export interface Streams {
  describe(streamId: string): StreamStatus | undefined;
  /** As in its status, without the cost of describing the stream. */
  oldestPending(streamId: string): number | undefined;
  /** What this stream last sent under a name, as JSON without secrets; undefined if it sent nothing under it. */
  content(streamId: string, typeUrl: string, name: string): string | undefined;
  /** Sends what a stream's client should have again, of one type or of all. Returns how many resources that is. */
  resend(streamId: string, typeUrl: string | undefined): number;
  /** The collections named in what a stream was sent, and those that it asks for. */
  collections(streamId: string): { readonly named: readonly string[]; readonly asked: readonly string[] };
}
