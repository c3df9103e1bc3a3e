/** Who a stream belongs to. */
export interface StreamRef {
  /** Unique in this process. */
  readonly streamId: string;
  readonly node: { readonly id: string; readonly cluster: string; readonly userAgentVersion: string };
  readonly peer: { readonly address: string };
  readonly variant: "delta" | "sotw";
  /** The group it is served as: one fleet's proxies that can take the same. */
  readonly group: string | undefined;
  /** Its method, where one proxy has only one stream of it. */
  readonly sole?: string | undefined;
}

/** A stream as the xDS server describes it. */
export interface StreamStatus extends StreamRef {
  readonly silent: string | undefined;
  /** Milliseconds since the epoch. */
  readonly silentSince?: number | undefined;
  readonly duplicate: boolean;
  /** The oldest publication of which something is due, in flight or held. */
  readonly oldestPending: number | undefined;
  readonly types: readonly StreamType[];
}

export interface StreamType {
  readonly typeUrl: string;
  readonly shortName: string;
  readonly inFlight: readonly unknown[];
  /** Something is to be sent as soon as it may. */
  readonly isDue: boolean;
  /** How many `resources` there are. */
  readonly known: number;
  /** Those of them that were refused, and those that are held back. */
  readonly refused: readonly StreamResource[];
  readonly held: readonly StreamResource[];
  /** Wait until another resource is refused no more, each with the publication that it waits for. */
  readonly blocked: readonly {
    readonly name: string;
    readonly on: { readonly typeUrl: string; readonly name: string };
    readonly publication: number;
  }[];
  /** Dear to read where there are many. */
  readonly resources: readonly StreamResource[];
  resource(name: string): StreamResource | undefined;
}

export interface StreamResource {
  readonly name: string;
  readonly sent: string | undefined;
  readonly acked: string | undefined;
  readonly unknown: boolean;
  readonly refused: StreamRefusal | undefined;
  readonly held: string | undefined;
}

export interface StreamRefusal {
  readonly version: string;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The publication that brought the refused content, where it is known. */
  readonly publication: number | undefined;
}

/** The open streams of this replica. */
export interface Streams {
  describe(streamId: string): StreamStatus | undefined;
  /** As in its status; costs no description. */
  oldestPending(streamId: string): number | undefined;
  /** What was sent last under a name, in JSON without secrets; nothing where nothing was, on this stream. */
  content(streamId: string, typeUrl: string, name: string): string | undefined;
  /** Sends again what a stream's client should have, of one type or of all. Returns how many resources that is. */
  resend(streamId: string, typeUrl: string | undefined): number;
  /** Collections that what a stream was sent names, and those that it asks for. */
  collections(streamId: string): { readonly named: readonly string[]; readonly asked: readonly string[] };
}
