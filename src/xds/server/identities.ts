import type { NodeIdentity } from "./node-identity.ts";

interface Stream {
  readonly streamId: string;
  readonly sole: string | undefined;
  readonly node: NodeIdentity;
}

/** The open streams by client, to tell when more than one client uses an id. */
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

function identityOf({ sole, node, streamId }: Stream): string {
  return sole === undefined ? streamId : `${sole} ${node.id}`;
}
