/** What the kernel's books say of a process. */
import { readdirSync, readFileSync } from "node:fs";

/** Time on a processor so far in milliseconds, of all threads, by the scheduler's own account. */
export function cpuMsOf(pid: number): number {
  const folder = `/proc/${pid}/task`;
  let nanos = 0;
  for (const thread of readdirSync(folder)) {
    nanos += Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[0]);
  }
  return nanos / 1e6;
}

export function residentBytesOf(pid: number): number {
  return statusBytes(pid, "VmRSS");
}

export function peakResidentBytesOf(pid: number): number {
  return statusBytes(pid, "VmHWM");
}

function statusBytes(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text) ?? [];
  return Number(kilobytes) * 1024;
}
