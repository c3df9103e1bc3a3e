/** Changes that are made from outside, through a server's own API. */

export type Write = (change: number) => Promise<unknown>;

export interface Churned {
  /** When each change was due, on the monotonic clock in nanoseconds. */
  readonly ticksAt: readonly number[];
  /** How long each call took, in milliseconds; empty where the server made its changes itself. */
  readonly writesMs: readonly number[];
}

/** @returns when the call began, on the monotonic clock in nanoseconds */
export async function writeOnce(write: Write, change: number): Promise<number> {
  const at = monotonicNs();
  await write(change);
  return at;
}

export interface Pace {
  readonly first: number;
  readonly count: number;
  readonly perSecond: number;
  /** Changes that are equal modulo this number follow each other; others are written side by side. */
  readonly lanes: number;
}

/** Writes at a steady pace, whether earlier calls have been answered or not. What is late still counts from when it was due. */
export async function writeAtPace(write: Write, { first, count, perSecond, lanes }: Pace): Promise<Churned> {
  const startedAt = monotonicNs();
  const ticksAt: number[] = [];
  const writesMs: number[] = [];
  const ends: Promise<void>[] = [];
  const writeAfter = async (earlier: Promise<void> | undefined, change: number) => {
    await earlier;
    const at = monotonicNs();
    await write(change);
    writesMs.push((monotonicNs() - at) / 1e6);
  };
  for (let index = 0; index < count; index++) {
    const dueAt = startedAt + Math.round((index * 1e9) / perSecond);
    const earlyMs = (dueAt - monotonicNs()) / 1e6;
    if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.ceil(earlyMs)));
    ticksAt.push(dueAt);
    const lane = (first + index) % lanes;
    ends[lane] = writeAfter(ends[lane], first + index);
    // A failure is told by `Promise.all`; until then it must not end the process.
    ends[lane].catch(() => undefined);
  }
  await Promise.all(ends);
  return { ticksAt, writesMs };
}

function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}
