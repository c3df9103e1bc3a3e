import { lostAnswers, oldestOwed } from "../protocol/lost-answers.ts";
import type { TypeReadings } from "../protocol/type-state.ts";
import type { ServedClient } from "./client-status.ts";
import { FlushQueue } from "./flush-queue.ts";
import type { Changes } from "./resource-cache.ts";
import { logged } from "./server-events.ts";
import { type GroupedStream, StreamGroups } from "./stream-groups.ts";
import type { StreamHost } from "./stream-host.ts";

/** What the streams of a server do with one of them. */
export interface OpenStream extends ServedClient, GroupedStream {
  /** What the event `progress` last said of it. */
  toldPending: number | undefined;
  oldestPending(): number | undefined;
  /** Whether a flush would find nothing to do. */
  isQuiet(): boolean;
  /**
   * Writes everything that may leave now. Cheap when nothing is due.
   *
   * @param written called when the socket has taken it
   * @returns whether that will be soon
   */
  flush(written: () => void): boolean;
  /** Ends it because of what was thrown. */
  refuse(thrown: unknown): void;
}

/** The open streams of a server, each from when its client has named itself: finds them, and lets them write in turns. */
export class OpenStreams<S extends OpenStream> {
  readonly #host: StreamHost;
  readonly #byId = new Map<string, S>();
  /** How many streams there are of each client and method, where a client has only one. */
  readonly #soles = new Map<string, number>();
  readonly #groups: StreamGroups<S>;
  readonly #toFlush: FlushQueue<S>;
  /** The one whose end is being told: what was known of its client can still be asked for. */
  #ending: S | undefined;

  constructor(host: StreamHost) {
    this.#host = host;
    this.#groups = new StreamGroups((group) => host.cache.served(group));
    this.#toFlush = new FlushQueue(host.clock, (stream, written) => this.#flush(stream, written));
  }

  get(streamId: string): S | undefined {
    return this.#byId.get(streamId) ?? (this.#ending?.streamId === streamId ? this.#ending : undefined);
  }

  all(): readonly S[] {
    return [...this.#byId.values()];
  }

  opened(stream: S): void {
    const { log, events } = this.#host;
    this.#byId.set(stream.streamId, stream);
    this.#count(stream, 1);
    log.info({ ...logged(stream), peer: stream.peer.address }, "stream opened");
    if (this.isDuplicate(stream)) log.warn(logged(stream), "another open stream has the same node id");
    events.emit("open", stream);
  }

  /** @param states What was known of its client. */
  closed(stream: S, states: TypeReadings): void {
    const { log, events, lostAnswers: memory, containment } = this.#host;
    this.#toFlush.delete(stream);
    this.#groups.move(stream, stream.group, undefined);
    if (!this.#byId.delete(stream.streamId)) return;
    memory.keep(stream.node.id, lostAnswers(states));
    this.#count(stream, -1);
    log.info(logged(stream), "stream closed");
    this.#ending = stream;
    containment.contain("xds", `the end of stream ${stream.streamId}`, () => {
      events.emit("close", stream, oldestOwed(states));
    });
    this.#ending = undefined;
  }

  moved(stream: S, from: string | undefined): void {
    this.#groups.move(stream, from, stream.group);
  }

  /** Whether another open stream is of the same method and names the same node, though a client has only one of these. */
  isDuplicate(stream: S): boolean {
    return (this.#soles.get(soleKeyOf(stream)) ?? 0) > 1;
  }

  /** Tells the streams of a group of an update, to be written after the present turn: no publisher waits for any of them. */
  publish(group: string, changes: Changes, publication: number): void {
    for (const stream of this.#groups.publish(group, changes, publication)) this.#toFlush.add(stream);
  }

  /** Flushes a stream soon if it may have something ready to send. */
  wake(stream: S): void {
    try {
      if (stream.isQuiet()) this.#tellProgress(stream);
      else this.#toFlush.add(stream);
    } catch (thrown) {
      stream.refuse(thrown);
    }
  }

  #flush(stream: S, written: () => void): boolean {
    try {
      const wrote = stream.flush(written);
      this.#tellProgress(stream);
      return wrote;
    } catch (thrown) {
      stream.refuse(thrown);
      return false;
    }
  }

  #tellProgress(stream: S): void {
    const pending = stream.oldestPending();
    if (pending === stream.toldPending) return;
    stream.toldPending = pending;
    this.#host.events.emit("progress", stream, pending);
  }

  #count(stream: S, change: 1 | -1): void {
    if (stream.sole === undefined) return;
    const key = soleKeyOf(stream);
    const count = (this.#soles.get(key) ?? 0) + change;
    if (count > 0) this.#soles.set(key, count);
    else this.#soles.delete(key);
  }
}

function soleKeyOf({ sole, node }: ServedClient): string {
  return `${sole} ${node.id}`;
}
