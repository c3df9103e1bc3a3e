import type { ResourceKey } from "./resource.ts";

/** A standing refusal of one resource. */
export type StandingRefusal = {
  /** The version that was refused; empty for a refused removal. */
  readonly version: string;
  readonly code: number;
  /** The client's words. */
  readonly message: string;
  /** Of the response that was refused. */
  readonly nonce: string;
  /** When this content was first refused, in milliseconds since the epoch. */
  readonly at: number;
  /** The publication that the refused content belongs to, if known. */
  readonly publication: number | undefined;
};

/**
 * What a client has of one resource, as far as its stream can know. All reports of it encode this: the server's status,
 * what replicas tell each other, the API and, through the API, the command line.
 */
export type ResourceHolding = {
  readonly name: string;
  /** The version last sent; undefined if nothing, or a removal, was sent. */
  readonly sent: string | undefined;
  /** The version the client last accepted. */
  readonly acked: string | undefined;
  /** Whether a response with it awaits its answer. */
  readonly inFlight: boolean;
  /** Whether it is in a refused response: the client may run any part of that. */
  readonly unknown: boolean;
  readonly refused: StandingRefusal | undefined;
  /** Why it is kept back. */
  readonly held: string | undefined;
  /** Goes out after this other resource. */
  readonly waitsFor: ResourceKey | undefined;
};
