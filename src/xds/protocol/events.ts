import type { Flight, Refusal } from "./flight.ts";
import type { Resource, ResourceKey } from "./resource.ts";

export type ErrorDetail = { readonly code: number; readonly message: string };

export type SotwRequest = {
  readonly typeUrl: string;
  readonly versionInfo: string;
  /** The complete list; undefined when it is the same as in the previous request of the type. */
  readonly names: readonly string[] | undefined;
  readonly nonce: string;
  readonly error: ErrorDetail | undefined;
};

export type DeltaRequest = {
  readonly typeUrl: string;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: ReadonlyMap<string, string>;
  readonly nonce: string;
  readonly error: ErrorDetail | undefined;
};

/** One response; responses must be written in the order given. */
export type Send = {
  readonly typeUrl: string;
  readonly nonce: string;
  /** SotW's `version_info`; empty in delta. */
  readonly version: string;
  readonly resources: readonly Resource[];
  /** Delta only. */
  readonly removed: readonly string[];
  /** The resources are sent without a body, to renew their TTL. */
  readonly heartbeat: boolean;
  /** The client honours TTLs. */
  readonly withTtl: boolean;
};

/** What happened, for observers. */
export type Report =
  | { readonly kind: "subscribe"; readonly typeUrl: string; readonly names: number; readonly wildcard: boolean }
  | { readonly kind: "ack"; readonly typeUrl: string; readonly flight: Flight }
  | { readonly kind: "nack"; readonly typeUrl: string; readonly refusal: Refusal }
  /** Names that were unknown because of a refusal, and are known again. */
  | { readonly kind: "cleared"; readonly typeUrl: string; readonly names: readonly string[] }
  /** A wait for another resource reached its bound, which ended it. */
  | { readonly kind: "late"; readonly resource: ResourceKey; readonly on: ResourceKey; readonly waitedMs: number };
