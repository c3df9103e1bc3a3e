import type { Clock } from "../runtime/clock.ts";
import type { StreamRef } from "../xds/protocol/stream-holding.ts";
import { isOutlivedBy } from "./outlived.ts";

/** An open stream of a proxy. */
export interface OpenStream {
  readonly ref: StreamRef;
  /** By the monotonic clock. */
  readonly openedAt: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** As the stream last reported: it reports what was published only when it is written to. */
  oldestPending: number | undefined;
  /** It has refused something that may still stand. */
  refusing: boolean;
}

/** The streams of a connected proxy. */
export interface Connected {
  readonly streams: OpenStream[];
  /** When it connected, by the monotonic clock. */
  readonly since: number;
  /** The oldest publication left unacknowledged by a stream that has ended since the newest one opened. */
  owed: number | undefined;
}

/** The proxies with open streams to this replica. */
export class ConnectedProxies {
  readonly #clock: Clock;
  readonly #streams = new Map<string, OpenStream>();
  readonly #byId = new Map<string, Connected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** By stream id. */
  get streams(): ReadonlyMap<string, OpenStream> {
    return this.#streams;
  }

  /** By node id. */
  get byId(): ReadonlyMap<string, Connected> {
    return this.#byId;
  }

  open(ref: StreamRef): void {
    const openedAt = this.#clock.monotonic();
    const stream = { ref, openedAt, since: this.#clock.now(), oldestPending: undefined, refusing: false };
    this.#streams.set(ref.streamId, stream);
    const known = this.#byId.get(ref.node.id);
    if (known === undefined) this.#byId.set(ref.node.id, { streams: [stream], since: openedAt, owed: undefined });
    else {
      known.streams.push(stream);
      known.owed = undefined;
    }
  }

  /** Returns what is known of the proxy when this was its last stream. */
  close(ref: StreamRef, owed: number | undefined): Connected | undefined {
    const stream = this.#streams.get(ref.streamId);
    const proxy = this.#byId.get(ref.node.id);
    if (stream === undefined || proxy === undefined) return undefined;
    if (!this.isOutlived(stream)) proxy.owed = earlier(proxy.owed, owed);
    this.#streams.delete(ref.streamId);
    proxy.streams.splice(proxy.streams.indexOf(stream), 1);
    if (proxy.streams.length > 0) return undefined;
    this.#byId.delete(ref.node.id);
    return proxy;
  }

  /** Whether it belongs to a process that a hot restart is about to end. */
  isOutlived(stream: OpenStream): boolean {
    const ofProxy = this.#byId.get(stream.ref.node.id)?.streams ?? [];
    const now = this.#clock.monotonic();
    return ofProxy.some((other) => isOutlivedBy(opened(stream), opened(other), now));
  }
}

function opened({ ref: { sole, peer }, openedAt }: OpenStream) {
  return { sole, peer: peer.address, openedAt };
}

export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
