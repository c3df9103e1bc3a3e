import { readerTooSlow } from "./errors.ts";
import type { Revision } from "./revision.ts";
import type { Change, WatchEvent } from "./state-store.ts";

/** What one watch has not read yet: the newest change of each key. */
export class UnreadChanges {
  readonly #maxUnread: number;
  #pending = new Map<string, Change>();
  #revision: Revision | undefined;
  #at = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** Commits up to this position are known to the reader. */
  after = -1;

  constructor(maxUnread = Number.POSITIVE_INFINITY) {
    this.#maxUnread = maxUnread;
  }

  tell(revision: Revision, at: number, changes: readonly Change[]): void {
    if (this.#failure !== undefined) return;
    for (const change of changes) this.#pending.set(change.key, change);
    this.#revision = revision;
    this.#at = at;
    if (this.#pending.size > this.#maxUnread) {
      this.#pending.clear();
      this.fail(readerTooSlow(this.#maxUnread));
    }
    this.#wake?.();
  }

  take(): WatchEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#revision === undefined) return undefined;
    const event: WatchEvent = {
      kind: "commit",
      revision: this.#revision,
      at: this.#at,
      changes: [...this.#pending.values()],
    };
    this.#pending = new Map();
    this.#revision = undefined;
    return event;
  }

  async wait(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
  }

  end(): void {
    this.#wake?.();
  }

  fail(failure: Error): void {
    this.#failure = failure;
    this.#wake?.();
  }
}
