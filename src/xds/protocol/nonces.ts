/**
 * The nonces of one stream. The first response after a publication carries the nonce of that publication, which is the
 * same on all streams of a server, so that they share every byte of it; any other response carries one of the stream's
 * own.
 *
 * None is one of an earlier stream of the same client (xds C3, S10): a stream is told only of publications that were made
 * since it opened, and its client had left the earlier one by then.
 */
export class Nonces {
  readonly #ownTag: string;
  readonly #sharedTag: string;
  #published = 0;
  #spent = 0;

  /** @param tags `own` is unlike that of any other stream, `shared` unlike that of any other server */
  constructor({ own, shared }: { readonly own: string; readonly shared: string }) {
    this.#ownTag = own;
    this.#sharedTag = shared;
  }

  published(publication: number): void {
    this.#published = publication;
  }

  /** What a response would carry that is the stream's `sequence`-th. */
  next(sequence: number): string {
    return this.#published > this.#spent ? `${this.#sharedTag}${this.#published}` : `${this.#ownTag}${sequence}`;
  }

  /** A response has left with what was next. */
  spend(): void {
    this.#spent = this.#published;
  }
}
