/**
 * How long the loop of a child process was held up at a time, in processor time of its main thread: what a busy machine
 * adds does not count. Loaded into the child with `--import`; the parent reads the file that `LONGEST_TURN_FILE` names.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** Arguments of Node that make a child tell it. */
export const LONGEST_TURN_ARGS = ["--import", pathToFileURL(import.meta.filename).href] as const;

/** The longest turn in milliseconds since the child was asked to begin anew, by SIGUSR2, or started. */
export function longestTurn(file: string): number {
  return Number(readFileSync(file, "utf8"));
}

const file = process.env.LONGEST_TURN_FILE;
if (file !== undefined && !process.argv.some((arg) => arg.includes("vitest"))) watch(file);

function watch(file: string): void {
  let last = process.threadCpuUsage();
  let longest = 0;
  const tell = () => {
    writeFileSync(`${file}.part`, String(longest));
    renameSync(`${file}.part`, file);
  };
  process.on("SIGUSR2", () => {
    longest = 0;
    tell();
  });
  setInterval(() => {
    const now = process.threadCpuUsage();
    const turn = (now.user + now.system - last.user - last.system) / 1000;
    last = now;
    if (turn <= longest) return;
    longest = turn;
    tell();
  }, 1).unref();
  tell();
}
