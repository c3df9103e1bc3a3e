import type { Revision } from "../store/revision.ts";

/** One resource on one stream, as far as the plane can know. */
export interface ResourceView {
  readonly name: string;
  readonly sent: string | undefined;
  readonly acknowledged: string | undefined;
  /** Set while the newest answer about it is a refusal. */
  readonly refused: { readonly version: string; readonly message: string } | undefined;
  /** Envoy may have applied any part of the refused response. */
  readonly unknown: boolean;
  /** Why it is kept back. */
  readonly held: string | undefined;
  /** What was sent, in JSON without secrets, where it is asked for. */
  readonly content?: string | undefined;
}

export interface TypeView {
  readonly typeUrl: string;
  /** `CDS`, `EDS`, … */
  readonly shortName: string;
  readonly state: "idle" | "sent" | "acked" | "refused";
  /** How many resources there are; `resources` are told only where they are asked for. */
  readonly known: number;
  readonly resources: readonly ResourceView[];
  /** What refusals that stand are about, the first of them. */
  readonly refusals: readonly { readonly name: string; readonly message: string }[];
  /** How many there are. */
  readonly refused: number;
}

/** One proxy: its open stream, or what is left of the last one. */
export interface NodeView {
  readonly id: string;
  readonly cluster: string;
  /** Absent when no fleet selects it; then `silent` says why it gets nothing. */
  readonly fleet: string | undefined;
  readonly silent: string | undefined;
  /** Since when it gets nothing; a replica of an earlier release does not say. */
  readonly silentSince?: number | undefined;
  readonly envoyVersion: string;
  readonly variant: "delta" | "sotw";
  readonly connected: boolean;
  /** Milliseconds since the epoch: when its stream opened, or ended. */
  readonly since: number;
  readonly peer: string;
  /** The replica that holds the stream. */
  readonly replica: string;
  /** Its method, where one proxy has only one stream of it: two of these are two proxies. */
  readonly sole?: string | undefined;
  /** Another open stream has the same id. */
  readonly duplicate: boolean;
  readonly types: readonly TypeView[];
  /** Age in milliseconds of the oldest commit that is not acknowledged; 0 when up to date. */
  readonly lagMs: number;
  /** The newest revision up to which all that was due is acknowledged. */
  readonly settled: Revision | undefined;
}

/**
 * Collections that what a proxy was sent names, and those that it asks for, on whichever streams to whichever replica. While
 * these are not the same, it uses what it had before.
 */
export interface Collections {
  readonly named: readonly string[];
  readonly asked: readonly string[];
}

/** How far one proxy is on its way to a revision. Only `done` counts as done. */
export type Progress =
  | { readonly state: "done"; readonly collections?: Collections }
  | { readonly state: "sent" | "held" | "unknown"; readonly message: string }
  | {
      readonly state: "disconnected";
      readonly message: string;
      /** Milliseconds since the epoch, by the clock of the replica that it was connected to, where it is known. */
      readonly leftAt?: number | undefined;
      /** It left with all acknowledged that was due, and nothing has been due since. */
      readonly nothingDue?: boolean;
    }
  | { readonly state: "refused"; readonly message: string };

/** What is due to a proxy, in flight or held, changed or sent again: of one type, or of all. */
export interface OnItsWay {
  readonly typeUrl: string | undefined;
}

export interface NodeQuery {
  /** How much of each proxy: where it is, the state of each type (the default), each resource as well, or what was sent. */
  readonly detail?: "place" | "types" | "resources" | "contents";
  readonly id?: string;
  /** Of its types, only this one. */
  readonly typeUrl?: string | undefined;
  /** Only proxies that were sent this resource. */
  readonly sent?: { readonly typeUrl: string; readonly name: string };
}

/** A replica that is silent, or did not answer: nobody can know which proxies it holds. */
export interface UnknownReplica {
  readonly replica: string;
  /** Milliseconds since it was heard last. */
  readonly silentMs: number;
}

/** An answer, and the replicas that had no part in it. */
export interface Told<T> {
  readonly told: T;
  readonly unknown: readonly UnknownReplica[];
}

export interface FleetProgress {
  /** Of each proxy that was asked about. */
  readonly progress: ReadonlyMap<string, Progress>;
  /**
   * Milliseconds from when the revision reached the plane until the last of the connected proxies that it concerned had
   * acknowledged it; nothing when none had to, or it is long ago. Says nothing of proxies that have not.
   */
  readonly settledAfterMs: number | undefined;
}

/** What each proxy was sent, accepted and refused, over all live replicas: the same whichever of them is asked. */
export interface NodeDirectory {
  /**
   * Connected proxies and those seen within the last `REMEMBERED_MS`, at most `MAX_REMEMBERED`; sorted by id. A proxy that moved is listed where it is
   * connected; an id that several proxies use appears once per stream.
   */
  nodes(query?: NodeQuery): Promise<Told<readonly NodeView[]>>;
  /**
   * Whether all that was due to these proxies at a revision is acknowledged; nothing due is done at once. With `onItsWay`
   * all that is on its way to them now, whatever the revision.
   */
  progress(ids: readonly string[], revision: Revision, onItsWay?: OnItsWay): Promise<FleetProgress>;
  /** Refusals that stand, with the objects that the refused resources come from. */
  refusals(): Promise<Told<readonly Refusal[]>>;
  /**
   * Sends a proxy again what it should have, of one type or of all; nothing where it is not connected to any replica that
   * answers. Returns how many resources that is.
   */
  resend(id: string, typeUrl: string | undefined): Promise<Told<number | undefined>>;
  /** Called after any change of the above; returns a function that ends it. */
  onChange(listener: () => void): () => void;
}

export interface Refusal {
  readonly nodeId: string;
  readonly typeUrl: string;
  readonly resource: string;
  readonly version: string;
  /** Envoy's words. */
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly objects: readonly { readonly kind: string; readonly name: string }[];
}

/** For how long a proxy whose stream ended is still listed and awaited. */
export const REMEMBERED_MS = 5 * 60_000;
/** Most characters of contents that are told at once; of what does not fit, no content is told. */
export const MAX_CONTENT_LENGTH = 16_000_000;
/** Most of those at one replica: with more, the ones that left longest ago are forgotten first. */
export const MAX_REMEMBERED = 10_000;
