/** Writes without a pause through whichever plane answers, and remembers what was acknowledged. */
import { type AdminClient, connectAdmin } from "../../../src/cli/admin-client.ts";
import { AdminService } from "../../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { addressOf, COUNTED, SHRINKING } from "./history.ts";

/** A service that no route leads to: each write adds a backend, so that a lost one shows. */
export const LEDGER = "ledger";
const ANSWER_WITHIN_MS = 3_000;
const PAUSE_MS = 100;
const SHRINK_EVERY = 10;
const PAGE_SIZE = 1_000;

const { getBackend, registerBackend, unregisterBackend, listBackends } = AdminService.method;

export class FleetWriter {
  readonly #planes: readonly AdminClient[];
  readonly #acknowledged = new Set<string>();
  readonly #failures: unknown[] = [];
  #written = 0;
  #count = 0;
  #left: number;
  #isPaused = false;
  #isStopped = false;
  readonly #done: Promise<void>;
  #atRest: (() => void) | undefined;

  constructor(options: { readonly planes: readonly string[]; readonly shrinking: number }) {
    this.#planes = options.planes.map((address) => connectAdmin(address, "test"));
    this.#left = options.shrinking;
    this.#done = this.#run();
  }

  get written(): number {
    return this.#written;
  }

  /** Why writes failed, the newest last. */
  get failures(): readonly unknown[] {
    return this.#failures;
  }

  /** Finishes what is under way, makes one more write of each kind that is acknowledged, and tells the state that they leave. */
  async pause(): Promise<{ readonly count: number; readonly left: number }> {
    this.#isPaused = true;
    await new Promise<void>((resolve) => {
      this.#atRest = resolve;
    });
    while (!(await this.#countOn())) await pause(PAUSE_MS);
    while (!(await this.#shrink())) await pause(PAUSE_MS);
    return { count: this.#count, left: this.#left };
  }

  resume(): void {
    this.#isPaused = false;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
    for (const plane of this.#planes) plane.close();
  }

  /** What was acknowledged and is not there, at each plane but the one that is away. */
  async lost({ away }: { readonly away?: number | undefined } = {}): Promise<string[]> {
    const asked = this.#planes.filter((_, i) => i !== away);
    const lost = await Promise.all(asked.map((plane) => this.#lostAt(plane)));
    return lost.flat();
  }

  async #lostAt(plane: AdminClient): Promise<string[]> {
    const found = new Set<string>();
    let pageToken = "";
    do {
      const page = await plane.call(listBackends, { service: LEDGER, pageSize: PAGE_SIZE, pageToken });
      for (const { name } of page.backends) found.add(name);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return [...this.#acknowledged].filter((name) => !found.has(name)).map((name) => `${name} at ${plane.server}`);
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#isStopped; turn++) {
      if (this.#isPaused) {
        this.#atRest?.();
        this.#atRest = undefined;
        await pause(PAUSE_MS);
        continue;
      }
      await this.#countOn();
      await this.#enter(`${LEDGER}/w-${turn}`, turn);
      if (turn % SHRINK_EVERY === 0) await this.#shrink();
      await pause(PAUSE_MS);
    }
  }

  /** Guarded by a version that was read in time, so that a write that is late can never come after one with a higher count. */
  async #countOn(): Promise<boolean> {
    this.#count += 1;
    const name = `${COUNTED}/only`;
    const target = { case: "address", value: addressOf(this.#count) } as const;
    return await this.#try(async (plane, signal) => {
      const { meta } = await plane.call(getBackend, { name });
      // A plane that stood still answers with what others wrote meanwhile.
      signal.throwIfAborted();
      await plane.call(registerBackend, { backend: { name, target }, expectedVersion: meta?.version ?? "" });
    });
  }

  async #enter(name: string, turn: number): Promise<void> {
    const backend = { name, target: { case: "address", value: addressOf(turn) } } as const;
    if (await this.#try((plane) => plane.call(registerBackend, { backend }))) this.#acknowledged.add(name);
  }

  async #shrink(): Promise<boolean> {
    if (this.#left === 1) throw new Error("there is nothing left to remove: begin with more backends");
    const name = `${SHRINKING}/s-${this.#left - 1}`;
    const isDone = await this.#try((plane) =>
      plane.call(unregisterBackend, { name }).catch((error: unknown) => {
        // An earlier try that got no answer had removed it.
        if (!String(error).includes("there is no backend")) throw error;
      }),
    );
    if (isDone) this.#left -= 1;
    return isDone;
  }

  /** Asks one plane after the other, each for a moment. */
  async #try(write: (plane: AdminClient, signal: AbortSignal) => Promise<unknown>): Promise<boolean> {
    const plane = this.#planes[this.#written % this.#planes.length];
    this.#written += 1;
    if (plane === undefined) return false;
    const late = new AbortController();
    try {
      await Promise.race([write(plane, late.signal), tooLate()]);
      return true;
    } catch (error) {
      late.abort(error);
      this.#failures.push(error);
      return false;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function tooLate(): Promise<never> {
  await pause(ANSWER_WITHIN_MS);
  throw new Error(`no answer within ${ANSWER_WITHIN_MS} ms`);
}
