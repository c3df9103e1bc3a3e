import type { Clock } from "./clock.ts";

/** An answer serves for this long, and for so many times as long as it took to make. */
const REST_MS = 100;
const REST_FACTOR = 4;

/**
 * Makes an answer when asked, and rests afterwards: who asks meanwhile gets the last one. However often it is asked for,
 * making it takes at most a fifth of the time. One that could not be made serves nobody else.
 */
export function rested<T>(clock: Clock, make: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | undefined;
  let freshUntil = Number.POSITIVE_INFINITY;
  return () => {
    if (last !== undefined && clock.monotonic() < freshUntil) return last;
    const beganAt = clock.monotonic();
    freshUntil = Number.POSITIVE_INFINITY;
    last = make().then(
      (made) => {
        const now = clock.monotonic();
        freshUntil = now + Math.max(REST_MS, REST_FACTOR * (now - beganAt));
        return made;
      },
      (thrown: unknown) => {
        last = undefined;
        throw thrown;
      },
    );
    return last;
  };
}
