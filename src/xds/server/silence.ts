import type { Clock } from "../../runtime/clock.ts";

/** Why a stream is sent nothing, and since when; it begins so. */
export class Silence {
  readonly #clock: Clock;
  #told: { readonly silent: string | undefined; readonly silentSince: number | undefined };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#told = { silent: "no request yet", silentSince: clock.now() };
  }

  get told(): { readonly silent: string | undefined; readonly silentSince: number | undefined } {
    return this.#told;
  }

  /** For a reason, or no longer. Another reason does not begin it anew. */
  set(silent: string | undefined): void {
    const since = silent === undefined ? undefined : (this.#told.silentSince ?? this.#clock.now());
    this.#told = { silent, silentSince: since };
  }
}
