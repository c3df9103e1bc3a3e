import type { LostVerdict } from "../protocol/lost-verdicts.ts";

/** Names remembered over all nodes; the node that left longest ago is forgotten first. */
const MAX_NAMES = 200_000;

/** Responses whose verdict was lost with their stream, by node, until it comes back. */
export class LostVerdictMemory {
  readonly #byNode = new Map<string, readonly LostVerdict[]>();
  #names = 0;

  keep(nodeId: string, lost: readonly LostVerdict[]): void {
    if (lost.length === 0) return;
    const earlier = this.#forget(nodeId);
    this.#byNode.set(nodeId, [...earlier, ...lost]);
    this.#names += countNames(earlier) + countNames(lost);
    for (const oldest of this.#byNode.keys()) {
      if (this.#names <= MAX_NAMES) break;
      this.#forget(oldest);
    }
  }

  /** What a stream of this node, for one type or for all, has to know; it is not told again. */
  take(nodeId: string, typeUrl: string | undefined): readonly LostVerdict[] {
    const all = this.#forget(nodeId);
    const isMine = (lost: LostVerdict) => typeUrl === undefined || lost.typeUrl === typeUrl;
    this.keep(
      nodeId,
      all.filter((lost) => !isMine(lost)),
    );
    return all.filter(isMine);
  }

  #forget(nodeId: string): readonly LostVerdict[] {
    const lost = this.#byNode.get(nodeId) ?? [];
    this.#byNode.delete(nodeId);
    this.#names -= countNames(lost);
    return lost;
  }
}

function countNames(lost: readonly LostVerdict[]): number {
  return lost.reduce((sum, { items }) => sum + items.length, 0);
}
