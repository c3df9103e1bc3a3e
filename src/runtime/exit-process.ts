import type { Clock } from "./clock.ts";

/** Time for what the threads of the process are at to come to its end. */
const THREAD_PATIENCE_MS = 100;

/**
 * Ends the process with an exit code.
 *
 * Node waits for its threads at its end, and one of them may wait for a name server or a disk that does not answer, for
 * ever. Then the process is killed instead, so that it ends in any case.
 */
export async function exitProcess(code: number, clock: Clock): Promise<void> {
  if (areThreadsAtWork()) await clock.sleep(THREAD_PATIENCE_MS);
  if (areThreadsAtWork()) process.kill(process.pid, "SIGKILL");
  process.exit(code);
}

function areThreadsAtWork(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(FSReq|Get(Addr|Name)Info)|Job$/.test(name));
}
