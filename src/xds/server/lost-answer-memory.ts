import type { LostAnswer } from "../protocol/lost-answers.ts";

/** Over all nodes; the node that left longest ago is forgotten first. */
const MAX_NODES = 10_000;
const MAX_NAMES = 200_000;
const MAX_BYTES = 32 * 1024 * 1024;

/** Responses whose ACK or NACK was lost with their stream, by node, kept until the node comes back. */
export class LostAnswerMemory {
  readonly #byNode = new Map<string, readonly LostAnswer[]>();
  #names = 0;
  #bytes = 0;

  keep(nodeId: string, lost: readonly LostAnswer[]): void {
    if (lost.length === 0) return;
    const all = [...this.#forget(nodeId), ...lost];
    this.#byNode.set(nodeId, all);
    this.#count(all, 1);
    for (const oldest of this.#byNode.keys()) {
      if (this.#byNode.size <= MAX_NODES && this.#names <= MAX_NAMES && this.#bytes <= MAX_BYTES) break;
      this.#forget(oldest);
    }
  }

  /** Returns, and forgets, what a stream of this node has to know, for one type or for all. */
  take(nodeId: string, typeUrl: string | undefined): readonly LostAnswer[] {
    const all = this.#forget(nodeId);
    const isMine = (lost: LostAnswer) => typeUrl === undefined || lost.typeUrl === typeUrl;
    this.keep(
      nodeId,
      all.filter((lost) => !isMine(lost)),
    );
    return all.filter(isMine);
  }

  #forget(nodeId: string): readonly LostAnswer[] {
    const lost = this.#byNode.get(nodeId) ?? [];
    this.#byNode.delete(nodeId);
    this.#count(lost, -1);
    return lost;
  }

  #count(lost: readonly LostAnswer[], sign: 1 | -1): void {
    for (const { items } of lost) {
      this.#names += sign * items.length;
      for (const { name } of items) this.#bytes += sign * name.length;
    }
  }
}
