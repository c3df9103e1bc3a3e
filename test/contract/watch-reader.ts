import { type Revision, reached } from "../../src/store/revision.ts";
import type { StateStore, WatchEvent } from "../../src/store/state-store.ts";
import { eventually } from "../support/eventually.ts";
import { text } from "./contract-store.ts";

/** Folds a watch as a replica would. */
export interface WatchReader {
  readonly events: readonly WatchEvent[];
  readonly synced: boolean;
  readonly revision: Revision | undefined;
  /** The folded state below a prefix. */
  below(prefix: string): Record<string, string | undefined>;
  until(holds: (reader: WatchReader) => boolean): Promise<void>;
  reaches(revision: Revision): Promise<void>;
  /** How the watch ended: an error, or nothing when it was told to. */
  readonly ended: Promise<unknown>;
  end(): Promise<unknown>;
}

export interface WatchReaderOptions {
  readonly from?: Revision;
  /** The state at `from`. */
  readonly start?: ReadonlyMap<string, string>;
  /** Called after each event is folded. */
  readonly onFold?: (reader: WatchReader) => Promise<void> | void;
}

export function startWatch(store: StateStore, { from, start, onFold }: WatchReaderOptions): WatchReader {
  const stop = new AbortController();
  const events: WatchEvent[] = [];
  const folded = new Map(start);
  let synced = false;
  let revision = from;
  const run = async () => {
    for await (const event of store.watch({ signal: stop.signal, ...(from && { from }) })) {
      events.push(event);
      const changes = event.kind === "state" ? event.entries : event.changes;
      for (const { key, value } of changes) {
        const told = text(value);
        if (told === undefined) folded.delete(key);
        else folded.set(key, told);
      }
      if (event.kind === "state") synced = event.synced;
      if (event.kind === "commit" || event.synced) {
        revision = event.revision;
        await onFold?.(reader);
      }
    }
  };
  const ended = run().then(
    () => undefined,
    (error: unknown) => error,
  );
  const until = async (holds: (reader: WatchReader) => boolean) => {
    await eventually(
      () => reader,
      () => holds(reader),
      {
        what: "the watch tells it",
        everyMs: 2,
        timeoutMs: 30_000,
        explain: () => JSON.stringify({ revision, synced }),
      },
    );
  };
  const reader: WatchReader = {
    events,
    get synced() {
      return synced;
    },
    get revision() {
      return revision;
    },
    below: (prefix) => Object.fromEntries([...folded].filter(([key]) => key.startsWith(prefix))),
    until,
    reaches: (target) => until(({ revision }) => revision !== undefined && reached(revision, target)),
    ended,
    end: () => {
      stop.abort();
      return ended;
    },
  };
  return reader;
}
