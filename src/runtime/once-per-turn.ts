import { nextTurn } from "./next-turn.ts";

/** An answer that is computed once in each turn of the loop, and then repeated: for one that is asked for many times a turn. */
export class OncePerTurn<T> {
  readonly #ask: () => T;
  #answer: { readonly value: T } | undefined;

  constructor(ask: () => T) {
    this.#ask = ask;
  }

  get(): T {
    if (this.#answer === undefined) {
      this.#answer = { value: this.#ask() };
      nextTurn(() => this.forget());
    }
    return this.#answer.value;
  }

  /** Call this when something that the answer depends on has changed within the turn. */
  forget(): void {
    this.#answer = undefined;
  }
}
