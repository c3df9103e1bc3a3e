import { findContainerEngine } from "../../../scripts/components/container-engine.ts";
import { startProcesses } from "./as-processes.ts";
import { startContainers } from "./in-containers.ts";
import type { SetUp } from "./set-up.ts";

/** The forms in which this machine can run the set-up: always as plain processes; in containers where an engine runs, and in CI. */
export function formsOfSetUp(): Readonly<Record<string, () => Promise<SetUp>>> {
  if (process.env["CI"] !== "true" && !hasEngine()) {
    console.error("  no container engine answers: the set-up runs as plain processes only");
    return { "as processes": startProcesses };
  }
  return { "as processes": startProcesses, "in containers": startContainers };
}

function hasEngine(): boolean {
  try {
    findContainerEngine();
    return true;
  } catch {
    return false;
  }
}
