import { nextTurn } from "./next-turn.ts";

/** An answer that is asked for once in each turn of the loop, and then repeated: for what is wanted a thousand times in one. */
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

  /** Something that the answer depends on has changed within the turn. */
  forget(): void {
    this.#answer = undefined;
  }
}
