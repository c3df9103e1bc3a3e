/** On what something was measured. */
import { arch, cpus, loadavg, release, totalmem } from "node:os";

export type Machine = Readonly<Record<string, string | number>>;

export function describeMachine(): Machine {
  return {
    processors: cpus().length,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    arch: arch(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    // Figures of a machine that is busy with other things say little.
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

export function machineText(machine: Machine): string {
  return Object.entries(machine)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");
}
