import type { Clock } from "../../runtime/clock.ts";
import { nextTurn } from "../../runtime/next-turn.ts";

/** Few, so that the first is sent at once; more than one, since a client that does not read costs a turn of the loop. */
const AT_A_TIME = 8;
/** After this long, streams with much to look at and little to write leave the event loop to others. */
const SHARE_MS = 20;

/**
 * Lets streams write in turns: a few, and the next ones as soon as the sockets have taken what these wrote. So the
 * first client has a change while it is still being planned for the others, and what a stream touches is sent while still
 * in the processor's caches. The event loop is not left between turns, unless a client does not read.
 */
export class FlushQueue<Stream> {
  readonly #flush: (stream: Stream, written: () => void) => boolean;
  readonly #clock: Clock;
  readonly #waiting = new Set<Stream>();
  readonly #goOn = () => this.#flushSome();
  #isRunning = false;

  /** @param flush writes what is due; returns whether it will soon be sent, and `written` called */
  constructor(clock: Clock, flush: (stream: Stream, written: () => void) => boolean) {
    this.#clock = clock;
    this.#flush = flush;
  }

  /**
   * Flushes the stream in the next turn, after what this turn still has to do: the answer to the call that made the
   * change leaves before a thousand streams have been written, not after them.
   */
  add(stream: Stream): void {
    this.#waiting.add(stream);
    if (this.#isRunning) return;
    this.#isRunning = true;
    nextTurn(this.#goOn);
  }

  delete(stream: Stream): void {
    this.#waiting.delete(stream);
  }

  /** May be called more often than needed: by a client that is no longer waited for. */
  #flushSome(): void {
    let wrote = 0;
    const began = this.#clock.monotonic();
    for (const stream of this.#waiting) {
      this.#waiting.delete(stream);
      if (this.#flush(stream, wrote === AT_A_TIME - 1 ? this.#goOn : NOTHING)) wrote++;
      if (wrote === AT_A_TIME || this.#clock.monotonic() - began >= SHARE_MS) {
        nextTurn(this.#goOn);
        return;
      }
    }
    this.#isRunning = false;
  }
}

const NOTHING = () => undefined;
