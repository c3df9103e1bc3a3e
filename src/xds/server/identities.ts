import type { NodeIdentity } from "./node-identity.ts";
import type { DiscoveryMethod } from "./services.ts";

interface Stream {
  readonly streamId: string;
  readonly method: DiscoveryMethod;
  readonly node: NodeIdentity;
}

/** The open streams by whom they are of, to tell when an id is used by more than one client. */
export class Identities {
  readonly #streams = new Map<string, Set<Stream>>();

  add(stream: Stream): void {
    const key = identityOf(stream);
    const known = this.#streams.get(key) ?? new Set();
    this.#streams.set(key, known.add(stream));
  }

  delete(stream: Stream): void {
    const key = identityOf(stream);
    const known = this.#streams.get(key);
    if (known?.delete(stream) && known.size === 0) this.#streams.delete(key);
  }

  isDuplicate(stream: Stream): boolean {
    return (this.#streams.get(identityOf(stream))?.size ?? 0) > 1;
  }
}

/** Streams that one client has only one of: aggregated ones, and those of the wildcard types. */
function identityOf({ method, node, streamId }: Stream): string {
  const single = method.typeUrl === undefined || /\.(Cluster|Listener)$/.test(method.typeUrl);
  return single ? `${method.method} ${node.id}` : streamId;
}
