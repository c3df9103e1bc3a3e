import type { Report } from "../protocol/events.ts";
import { doubtfulNames } from "../protocol/flight.ts";
import type { ResourceKey } from "../protocol/resource.ts";

export type RememberedRefusal = {
  readonly typeUrl: string;
  /** Everything the refused response held. */
  readonly names: readonly string[];
  /** The client's text, for people to read. */
  readonly message: string;
};

/**
 * Which resources each node refused and has not acknowledged since. It must outlive the stream, since what Envoy
 * presents of them at its next connection is not the truth (xds R16). Calls return at once; an implementation that
 * persists does so afterwards.
 */
export interface RefusalMemory {
  load(nodeId: string): Iterable<ResourceKey>;
  record(nodeId: string, refusal: RememberedRefusal): void;
  clear(nodeId: string, typeUrl: string, names: readonly string[]): void;
}

/** Keeps a memory in step with what a stream of a node reports. What is refused again is already in it. */
export function rememberRefusals(memory: RefusalMemory, nodeId: string, report: Report): void {
  if (report.kind === "cleared") memory.clear(nodeId, report.typeUrl, report.names);
  if (report.kind !== "nack" || report.refusal.since < report.refusal.at) return;
  const names = doubtfulNames(report.refusal);
  if (names.length > 0) memory.record(nodeId, { typeUrl: report.typeUrl, names, message: report.refusal.message });
}

/** Most nodes remembered; the one that refused longest ago is forgotten first. */
const MAX_NODES = 10_000;

/** Remembers for as long as the process lives. */
export class LocalRefusalMemory implements RefusalMemory {
  readonly #nodes = new Map<string, Map<string, ResourceKey>>();

  load(nodeId: string): Iterable<ResourceKey> {
    return this.#nodes.get(nodeId)?.values() ?? [];
  }

  record(nodeId: string, { typeUrl, names }: RememberedRefusal): void {
    const keys = this.#nodes.get(nodeId) ?? new Map<string, ResourceKey>();
    for (const name of names) keys.set(`${typeUrl} ${name}`, { typeUrl, name });
    this.#nodes.delete(nodeId);
    this.#nodes.set(nodeId, keys);
    const oldest = this.#nodes.size > MAX_NODES ? this.#nodes.keys().next().value : undefined;
    if (oldest !== undefined) this.#nodes.delete(oldest);
  }

  clear(nodeId: string, typeUrl: string, names: readonly string[]): void {
    const keys = this.#nodes.get(nodeId);
    for (const name of names) keys?.delete(`${typeUrl} ${name}`);
    if (keys?.size === 0) this.#nodes.delete(nodeId);
  }
}
