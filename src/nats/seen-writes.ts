import type { AssembledCommit } from "./batch-assembler.ts";

/** Batches whose writers may still ask about them. */
const REMEMBERED_IDS = 4_096;

/** What a mirror remembers of writes for the next writers: what guards have to name, and which batches have landed. */
export class SeenWrites {
  readonly #sequences = new Map<string, number>();
  readonly #ids = new Map<string, number>();

  /** Sequence of a key's newest message, deletes included: what a guard on it names. */
  sequenceOf(key: string): number {
    return this.#sequences.get(key) ?? 0;
  }

  /** Position of a recently seen batch. */
  positionOf(id: string): number | undefined {
    return this.#ids.get(id);
  }

  see(commit: AssembledCommit): void {
    this.repair(commit.changes);
    this.seeIds(commit);
  }

  repair(changes: Iterable<{ readonly key: string; readonly sequence: number }>): void {
    for (const { key, sequence } of changes) this.#sequences.set(key, sequence);
  }

  seeIds({ position, ids }: AssembledCommit): void {
    for (const id of ids) this.#ids.set(id, position);
    for (const id of this.#ids.keys()) {
      if (this.#ids.size <= REMEMBERED_IDS) break;
      this.#ids.delete(id);
    }
  }

  /** Called when another epoch begins, whose keys lie elsewhere. */
  forgetKeys(): void {
    this.#sequences.clear();
  }
}
