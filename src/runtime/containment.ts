import type { Counter, Registry } from "prom-client";
import type { Clock } from "./clock.ts";
import { instrumentsOf } from "./instruments.ts";
import type { Logger } from "./logger.ts";

/** Where input comes in from outside; values of the label `source`. */
export const INPUT_SOURCES = ["probe", "peer", "record", "duty", "timer", "xds", "admin", "http", "store"] as const;
export type InputSource = (typeof INPUT_SOURCES)[number];

/** The last failure of one source that was contained. */
export interface Contained {
  readonly source: InputSource;
  /** Which input it was. */
  readonly input: string;
  readonly message: string;
  /** How many failures of this source since the process began. */
  readonly count: number;
  /** When the last one occurred, in milliseconds since the epoch. */
  readonly at: number;
  /** When the first one of a run with less than `PAUSE_MS` between failures occurred. */
  readonly since: number;
}

/**
 * The boundary that every callback fed from outside stands behind (law 9): what it throws, or what its promise rejects
 * with, ends here. It is counted in `fairlead_contained_failures_total{source}`, logged with the input's name, and kept for
 * `status`; everything else goes on.
 *
 * It is for the unexpected. An error that can be foreseen is an answer, and is given where it is known.
 */
export class Containment {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #counter: Counter<"source">;
  readonly #last = new Map<InputSource, Contained>();
  readonly #loggedAt = new Map<InputSource, number>();

  constructor({ clock, log, registry }: { clock: Clock; log: Logger; registry: Registry }) {
    this.#clock = clock;
    this.#log = log.child({ component: "containment" });
    this.#counter = instrumentsOf(registry).counter(
      "fairlead_contained_failures_total",
      "Failures that a single input from outside caused and that were contained, by the source of the input.",
      "source",
    );
    for (const source of INPUT_SOURCES) this.#counter.inc({ source }, 0);
  }

  /** Calls `run` at once. @param input Names what it is fed with: `service/shop backend/s1`, `replica plane-b`. */
  contain(source: InputSource, input: string, run: () => unknown): void {
    try {
      const outcome = run();
      if (outcome instanceof Promise) outcome.catch((thrown: unknown) => this.note(source, input, thrown));
    } catch (thrown) {
      this.note(source, input, thrown);
    }
  }

  /** Records a failure that was caught and dealt with elsewhere. */
  note(source: InputSource, input: string, thrown: unknown): void {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const at = this.#clock.now();
    const last = this.#last.get(source);
    const count = (last?.count ?? 0) + 1;
    this.#counter.inc({ source });
    const since = last !== undefined && at - last.at < PAUSE_MS ? last.since : at;
    this.#last.set(source, { source, input, message, count, at, since });
    const now = this.#clock.monotonic();
    if (now - (this.#loggedAt.get(source) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    this.#loggedAt.set(source, now);
    this.#log.error({ err: thrown, source, input, count }, "an input failed and was contained");
  }

  /** The last failure of each source. */
  failures(): readonly Contained[] {
    return [...this.#last.values()];
  }
}

/** After this long without a failure, the next one begins a new run. */
export const PAUSE_MS = 3_600_000;
/** A flood of bad input logs one line per second and source; the counter counts all of it. */
const LOG_EVERY_MS = 1000;
