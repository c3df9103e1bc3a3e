import type {
  FleetProgress,
  NodeDirectory,
  NodeQuery,
  Progress,
  Refusal,
  Told,
  ToldNode,
  UnknownReplica,
} from "../../src/fleet/node-directory.ts";

/** A directory that holds what a test says. */
export class FakeNodeDirectory implements NodeDirectory {
  readonly #nodes = new Map<string, ToldNode>();
  readonly #progress = new Map<string, Progress>();
  readonly #listeners = new Set<() => void>();
  readonly standing: Refusal[] = [];
  /** Replicas that do not answer. */
  silent: readonly UnknownReplica[] = [];

  /** A proxy, or another one of the same id from another peer, and how far it is on its way to any revision. */
  set(node: Partial<ToldNode> & { readonly id: string }, progress: Progress): void {
    this.#nodes.set(`${node.id} ${node.peer ?? ""}`, {
      cluster: "edge",
      fleet: "edge",
      silent: undefined,
      client: "envoy",
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

  async nodes({ id, sent, detail }: NodeQuery = {}): Promise<Told<readonly ToldNode[]>> {
    const told = [...this.#nodes.values()]
      .filter((node) => id === undefined || node.id === id)
      .filter(({ types }) => {
        const resources = types.flatMap((type) => (type.typeUrl === sent?.typeUrl ? type.resources : []));
        return sent === undefined || resources.some((one) => one.name === sent.name && one.sent !== undefined);
      })
      .map((node) => (detail === "resources" ? node : withoutResources(node)))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    return { told, unknown: this.silent };
  }

  async progress(ids: readonly string[]): Promise<FleetProgress> {
    const unseen: Progress = { state: "unknown", message: "never seen" };
    return { progress: new Map(ids.map((id) => [id, this.#progress.get(id) ?? unseen])), settledAfterMs: 38 };
  }

  async refusals(): Promise<Told<readonly Refusal[]>> {
    return { told: this.standing, unknown: this.silent };
  }

  /** What was to be sent again. */
  readonly resent: { readonly id: string; readonly typeUrl: string | undefined }[] = [];

  async resend(id: string, typeUrl: string | undefined): Promise<Told<number | undefined>> {
    const isConnected = [...this.#nodes.values()].some((node) => node.id === id && node.connected);
    if (isConnected) this.resent.push({ id, typeUrl });
    return { told: isConnected ? 3 : undefined, unknown: this.silent };
  }

  async forget(id: string): Promise<void> {
    for (const [key, node] of this.#nodes) if (node.id === id && !node.connected) this.#nodes.delete(key);
  }

  /** As the directory of a replica without others says it. */
  attendance(): string {
    return JSON.stringify(
      [...this.#nodes.values()].map(({ id, connected, replica, fleet }) => [id, connected, replica, fleet]),
    );
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function withoutResources(node: ToldNode): ToldNode {
  return { ...node, types: node.types.map((type) => ({ ...type, resources: [] })) };
}
