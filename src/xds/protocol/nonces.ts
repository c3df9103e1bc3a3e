/**
 * The nonces of one stream. The first response after a publication carries the nonce of that publication, which is the
 * same on all streams of a server, so that they share every byte of it; any other response carries one of the stream's
 * own.
 *
 * None repeats a nonce of an earlier stream of the same client (xds C3, S10): a stream is told only of publications that
 * were made since it opened, and its client had left the earlier stream by then.
 */
export class Nonces {
  readonly #ownTag: string;
  readonly #sharedTag: string;
  #published = 0;
  #spent = 0;

  /** @param tags `own` differs from that of any other stream, `shared` from that of any other server */
  constructor({ own, shared }: { readonly own: string; readonly shared: string }) {
    this.#ownTag = own;
    this.#sharedTag = shared;
  }

  published(publication: number): void {
    this.#published = publication;
  }

  /** The nonce that the stream's `sequence`-th response would carry. */
  next(sequence: number): string {
    return this.#published > this.#spent ? `${this.#sharedTag}${this.#published}` : `${this.#ownTag}${sequence}`;
  }

  /** Notes that a response has left with the next nonce. */
  spend(): void {
    this.#spent = this.#published;
  }
}
