import type { Clock } from "../runtime/clock.ts";

/** Something that is done again and again. */
export interface Recurring {
  /** Does it once. Never rejects. */
  run(): Promise<void>;
  /** Milliseconds from the start that was due to the next one; called after each run. */
  intervalMs(): number;
}

export interface ProbeScheduleOptions {
  readonly clock: Clock;
  /** The most that run at a time, and so the most connections. What is due beyond that waits in order. */
  readonly maxRunning: number;
  /** Called at each start with how many milliseconds late it was. */
  readonly onStart: (delayMs: number) => void;
}

interface Slot {
  readonly what: Recurring;
  dueAt: number;
  removed: boolean;
}

/**
 * Starts things when they are due, with one timer for all of them.
 *
 * Each keeps its own phase: the next start counts from the one that was due, not from when it could begin. After a stall,
 * what was missed is done once, not as often as it was due.
 */
export class ProbeSchedule {
  readonly #options: ProbeScheduleOptions;
  readonly #heap: Slot[] = [];
  #running = 0;
  #stopped = false;
  #armedFor = Number.POSITIVE_INFINITY;
  #disarm: () => void = () => undefined;

  constructor(options: ProbeScheduleOptions) {
    this.#options = options;
  }

  /** Starts nothing before it has returned. The returned function removes it; a run under way goes on to its end. */
  add(what: Recurring, firstInMs: number): () => void {
    const slot: Slot = { what, dueAt: this.#options.clock.monotonic() + firstInMs, removed: false };
    this.#push(slot);
    this.#wakeAt(slot.dueAt);
    return () => {
      slot.removed = true;
    };
  }

  stop(): void {
    this.#stopped = true;
    this.#disarm();
  }

  #startDue(): void {
    const { clock, maxRunning } = this.#options;
    const now = clock.monotonic();
    while (this.#running < maxRunning && !this.#stopped) {
      const first = this.#heap[0];
      if (first === undefined) return;
      if (first.dueAt > now) {
        this.#wakeAt(first.dueAt);
        return;
      }
      this.#pop();
      if (!first.removed) void this.#start(first);
    }
  }

  #wakeAt(dueAt: number): void {
    const { clock } = this.#options;
    if (dueAt >= this.#armedFor) return;
    this.#disarm();
    this.#armedFor = dueAt;
    this.#disarm = clock.after(Math.max(0, dueAt - clock.monotonic()), () => {
      this.#armedFor = Number.POSITIVE_INFINITY;
      this.#startDue();
    });
  }

  async #start(slot: Slot): Promise<void> {
    const { clock, onStart } = this.#options;
    onStart(clock.monotonic() - slot.dueAt);
    this.#running += 1;
    await slot.what.run();
    this.#running -= 1;
    if (!slot.removed && !this.#stopped) {
      slot.dueAt = Math.max(slot.dueAt + slot.what.intervalMs(), clock.monotonic());
      this.#push(slot);
    }
    this.#startDue();
  }

  /** A binary heap by due time. */
  #push(slot: Slot): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(slot);
    while (at > 0) {
      const parentAt = (at - 1) >>> 1;
      const parent = heap[parentAt];
      if (parent === undefined || parent.dueAt <= slot.dueAt) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = slot;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const childAt = (heap[right]?.dueAt ?? Number.POSITIVE_INFINITY) < (heap[left]?.dueAt ?? 0) ? right : left;
      const child = heap[childAt];
      if (child === undefined || child.dueAt >= last.dueAt) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
  }
}
