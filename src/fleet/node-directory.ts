import type { Revision } from "../store/revision.ts";
import type { ClientCollections } from "../xds/protocol/collections.ts";
import type { ResourceHolding, StandingRefusal } from "../xds/protocol/resource-holding.ts";
import type { StreamHolding, TypeHolding } from "../xds/protocol/stream-holding.ts";

/** What replicas and people are told of a `ResourceHolding`. */
export interface ToldResource extends Omit<ResourceHolding, "refused" | "inFlight" | "waitsFor"> {
  /** Set while the newest answer about it is a refusal. */
  readonly refused: Pick<StandingRefusal, "version" | "message"> | undefined;
  /** What was sent, as JSON without secrets, if it was asked for. */
  readonly content?: string | undefined;
}

/** What they are told of a `TypeHolding`. */
export interface ToldType extends Pick<TypeHolding, "typeUrl" | "shortName" | "known"> {
  readonly state: "idle" | "sent" | "acked" | "refused" | "missing";
  /** Filled only if it was asked for. */
  readonly resources: readonly ToldResource[];
  /** The resources that standing refusals are about; only the first few. */
  readonly refusals: readonly { readonly name: string; readonly message: string }[];
  /** How many such resources there are. */
  readonly refused: number;
  /** For gRPC clients: what they ask for and what is not there, so that calls fail; only the first few. */
  readonly missing: readonly string[];
}

/** What they are told of one proxy: of the `StreamHolding` of its open stream, or of what is left of the last one. */
export interface ToldNode extends Pick<StreamHolding, "silent" | "silentSince" | "variant" | "sole" | "duplicate"> {
  readonly id: string;
  readonly cluster: string;
  /** Absent when no fleet selects it; then `silent` says why it gets nothing. */
  readonly fleet: string | undefined;
  /** What it calls itself: `envoy`, `gRPC Go`; empty if it does not say so, or the replica that holds it is older. */
  readonly client: string;
  readonly envoyVersion: string;
  /** As it names its own locality; absent if it does not. */
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
  readonly connected: boolean;
  /** Milliseconds since the epoch: when its stream opened, or ended. */
  readonly since: number;
  readonly peer: string;
  /** The replica that holds the stream. */
  readonly replica: string;
  /** It has been away for longer than a moment, and is recorded as gone: then `since` is by the store's clock. */
  readonly gone?: boolean | undefined;
  /** That replica has left, and the proxy is expected at another one. */
  readonly handedOver?: boolean | undefined;
  /** Of a proxy that is away: what it had of each type when its last stream ended, if that is known. */
  readonly types: readonly ToldType[];
  /** Age in milliseconds of the oldest commit that is not acknowledged; 0 when up to date. */
  readonly lagMs: number;
  /** The newest revision up to which everything that was due is acknowledged. */
  readonly settled: Revision | undefined;
}

/** One proxy's progress towards a revision. Only `done` counts as done. */
export type Progress =
  | {
      readonly state: "done";
      /** While what is named and what is asked for differ over all its streams, the proxy uses what it had before. */
      readonly collections?: ClientCollections;
    }
  | { readonly state: "sent" | "held" | "unknown"; readonly message: string }
  | {
      readonly state: "disconnected";
      readonly message: string;
      /** Milliseconds since the epoch, by the clock of the replica that it was connected to, if known. */
      readonly leftAt?: number | undefined;
      /** It had acknowledged everything that was due when it left, and nothing has become due since. */
      readonly nothingDue?: boolean;
    }
  | { readonly state: "refused"; readonly message: string };

/** Everything due to a proxy, in flight or held, changed or sent again, of one type or of all. */
export interface OnItsWay {
  readonly typeUrl: string | undefined;
}

export interface NodeQuery {
  /** How much about each proxy: where it is, the state of each type (the default), each resource too, or also what was sent. */
  readonly detail?: "place" | "types" | "resources" | "contents";
  readonly id?: string;
  /** Only this one of its types. */
  readonly typeUrl?: string | undefined;
  /** Only proxies that were sent this resource. */
  readonly sent?: { readonly typeUrl: string; readonly name: string };
}

/** A replica that is silent or did not answer: which proxies it holds is unknown. */
export interface UnknownReplica {
  readonly replica: string;
  /** Milliseconds since it was last heard from. */
  readonly silentMs: number;
}

/** An answer, and the replicas that did not contribute to it. */
export interface Told<T> {
  readonly told: T;
  readonly unknown: readonly UnknownReplica[];
}

export interface FleetProgress {
  /** By the id of each proxy that was asked about. */
  readonly progress: ReadonlyMap<string, Progress>;
  /**
   * Milliseconds from when the revision reached the plane until the last connected proxy that it concerned acknowledged it;
   * undefined when none had to, or when it was long ago. It says nothing about proxies that have not acknowledged it.
   */
  readonly settledAfterMs: number | undefined;
}

/** What each proxy was sent, accepted and refused, over all live replicas: any of them gives the same answer. */
export interface NodeDirectory {
  /**
   * Connected proxies and those seen within the last `REMEMBERED_MS`, at most `MAX_REMEMBERED`, sorted by id. A proxy that
   * moved is listed where it is connected; an id that several proxies use appears once per stream.
   */
  nodes(query?: NodeQuery): Promise<Told<readonly ToldNode[]>>;
  /**
   * Whether these proxies have acknowledged everything due at a revision; if nothing is due, it is done at once. With
   * `onItsWay`, everything that is on its way to them now counts, whatever the revision.
   */
  progress(ids: readonly string[], revision: Revision, onItsWay?: OnItsWay): Promise<FleetProgress>;
  /** Standing refusals, with the objects that the refused resources come from. */
  refusals(): Promise<Told<readonly Refusal[]>>;
  /**
   * Sends a proxy what it should have again, of one type or of all. Returns how many resources that is, or undefined if it
   * is not connected to any replica that answers.
   */
  resend(id: string, typeUrl: string | undefined): Promise<Told<number | undefined>>;
  /** Makes all replicas that answer forget a proxy that is away, so that it is neither listed nor awaited. */
  forget(id: string): Promise<void>;
  /** Calls the listener after any change to the above; returns a function that unsubscribes it. */
  onChange(listener: () => void): () => void;
}

/** What they are told of a `StandingRefusal`. */
export interface Refusal extends Pick<StandingRefusal, "version" | "message" | "at"> {
  readonly nodeId: string;
  readonly typeUrl: string;
  readonly resource: string;
  readonly objects: readonly { readonly kind: string; readonly name: string }[];
}

/** How long a proxy whose stream has ended is still listed and awaited. */
export const REMEMBERED_MS = 5 * 60_000;
/** Most characters of content told of one stream; content that does not fit is left out. */
export const MAX_CONTENT_LENGTH = 16_000_000;
/** Most remembered proxies per replica: beyond that, those that left longest ago are forgotten first. */
export const MAX_REMEMBERED = 10_000;
