import type { Clock } from "../../runtime/clock.ts";

/** Why a stream is sent nothing, and since when; every stream begins silent. */
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

  /** Silences the stream for a reason, or ends the silence. Another reason does not restart it. */
  set(silent: string | undefined): void {
    const since = silent === undefined ? undefined : (this.#told.silentSince ?? this.#clock.now());
    this.#told = { silent, silentSince: since };
  }
}
