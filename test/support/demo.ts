/** What demos leave on the machine while they run, and must not leave when they have ended. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Their folders, for people and for themselves, and the programs that they started, by process id. */
export function leftByDemos(): readonly string[] {
  return [
    ...readdirSync(root).filter((name) => /^demo(?:-\d+)?$/.test(name)),
    ...readdirSync(tmpdir()).filter((name) => name.startsWith("fairlead-demo-")),
    ...readdirSync("/proc").filter((name) => /^\d+$/.test(name) && commandLine(name).includes("fairlead-demo-")),
  ];
}

function commandLine(pid: string): string {
  const file = `/proc/${pid}/cmdline`;
  try {
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  } catch {
    return "";
  }
}
