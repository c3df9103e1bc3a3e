import type { NodeDirectory, NodeView, Progress, Refusal } from "../../src/fleet/node-directory.ts";

/** A directory that holds what a test says. */
export class FakeNodeDirectory implements NodeDirectory {
  readonly #nodes = new Map<string, NodeView>();
  readonly #progress = new Map<string, Progress>();
  readonly #listeners = new Set<() => void>();
  readonly standing: Refusal[] = [];

  /** A proxy, and how far it is on its way to any revision. */
  set(node: Partial<NodeView> & { readonly id: string }, progress: Progress): void {
    this.#nodes.set(node.id, {
      cluster: "edge",
      fleet: "edge",
      silent: undefined,
      envoyVersion: "1.40.0",
      variant: "delta",
      connected: true,
      since: 0,
      peer: "127.0.0.1:1",
      replica: "plane-test",
      duplicate: false,
      types: [],
      lagMs: 0,
      settled: undefined,
      ...node,
    });
    this.#progress.set(node.id, progress);
    for (const listener of this.#listeners) listener();
  }

  /** How many listen for changes. */
  get listening(): number {
    return this.#listeners.size;
  }

  nodes(): readonly NodeView[] {
    return [...this.#nodes.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  progress(nodeId: string): Progress {
    return this.#progress.get(nodeId) ?? { state: "unknown", message: "never seen" };
  }

  settledAfter(): number | undefined {
    return 38;
  }

  refusals(): readonly Refusal[] {
    return this.standing;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
