/** A well-behaved xDS client on a thread of its own, that asks all the time and measures how long it waits. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";

/** One question that was answered late or not at all. */
export interface Late {
  /** Without the time in which the plane was ready to run and had no processor, and in which this thread was late itself. */
  readonly waitedMs: number;
}

export interface WitnessReport {
  readonly questions: number;
  readonly late: readonly Late[];
  /** The stream ended; it is opened anew. */
  readonly ended: readonly string[];
}

export interface Witness extends AsyncDisposable {
  /** What was seen since the last report, up to an answer to a question that is asked now. */
  report(): Promise<WitnessReport>;
}

/** What no attack may bring about: a question of another client that waits longer. */
export const ANSWER_WITHIN_MS = 200;

/** @param pid The plane, of which the time without a processor is not counted. */
export async function startWitness(address: string, pid: number): Promise<Witness> {
  const worker = new Worker(new URL("witness-thread.ts", import.meta.url), {
    workerData: { address, pid, answerWithinMs: ANSWER_WITHIN_MS },
  });
  return {
    report: async () => {
      // Rejects when the thread fails.
      const told = once(worker, "message");
      worker.postMessage("report");
      const [report] = (await told) as [WitnessReport];
      return report;
    },
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
    },
  };
}

/** Milliseconds for which the main thread of a process has waited for a processor since it began. */
export function queuedMs(pid: number): number {
  try {
    const [, waitedNs = "0"] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ");
    return Number(waitedNs) / 1e6;
  } catch {
    return 0;
  }
}
