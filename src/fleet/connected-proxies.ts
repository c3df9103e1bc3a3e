import type { Clock } from "../runtime/clock.ts";
import type { StreamRef } from "../xds/protocol/stream-holding.ts";

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

/** How long after a newer stream opens an older one may still belong to a process that hot restart is about to end. */
const OUTLIVED_MS = 30_000;

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

  /**
   * Whether the proxy recently opened a newer stream of the same kind from the same machine. The process that a hot restart
   * replaces keeps its stream for a while, and nothing depends on what it has yet to acknowledge.
   */
  isOutlived({ ref, openedAt }: OpenStream): boolean {
    if (ref.sole === undefined) return false;
    const since = this.#clock.monotonic() - OUTLIVED_MS;
    const ofProxy = this.#byId.get(ref.node.id)?.streams ?? [];
    const alike = ofProxy.filter((other) => other.ref.sole === ref.sole && hostOf(other.ref) === hostOf(ref));
    return alike.some((other) => other.openedAt > openedAt && other.openedAt > since);
  }
}

export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** The peer's address without its port. */
function hostOf({ peer: { address } }: StreamRef): string {
  return address.slice(0, address.lastIndexOf(":"));
}
