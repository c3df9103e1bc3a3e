/** A refusal that stands, of one resource. */
export type StandingRefusal = {
  /** The version that was refused; empty for a refused removal. */
  readonly version: string;
  /** The client's words. */
  readonly message: string;
  /** When this content was refused first: milliseconds since the epoch. */
  readonly at: number;
  /** The publication that the refused content belongs to, where known. */
  readonly publication: number | undefined;
};

/**
 * What a client has of one resource, as far as its stream can know. Who tells of it encodes this: the server's status, what
 * replicas tell each other, the API and, of that, the command line.
 */
export type ResourceHolding = {
  readonly name: string;
  /** The version sent last; undefined when nothing was, or a removal. */
  readonly sent: string | undefined;
  /** The version the client last accepted. */
  readonly acked: string | undefined;
  /** Part of a refused response: the client may run any part of it. */
  readonly unknown: boolean;
  readonly refused: StandingRefusal | undefined;
  /** Why it is kept back. */
  readonly held: string | undefined;
};
