import type { Clock } from "./clock.ts";

/** Time for the threads of the process to finish their work. */
const THREAD_PATIENCE_MS = 100;

/**
 * Ends the process with an exit code.
 *
 * At its end, Node waits for its threads, and one of them may wait forever for a name server or a disk that does not
 * answer. Then the process is killed instead, so it ends in any case.
 */
export async function exitProcess(code: number, clock: Clock): Promise<void> {
  if (areThreadsAtWork()) await clock.sleep(THREAD_PATIENCE_MS);
  if (areThreadsAtWork()) process.kill(process.pid, "SIGKILL");
  process.exit(code);
}

function areThreadsAtWork(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(FSReq|Get(Addr|Name)Info)|Job$/.test(name));
}
