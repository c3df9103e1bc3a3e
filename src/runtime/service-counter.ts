import type { Registry } from "prom-client";
import { instrumentsOf } from "./instruments.ts";
import { MAX_NAMES, OTHERS } from "./named-counts.ts";

interface ServiceCounterOptions<V extends string> {
  readonly name: string;
  readonly help: string;
  /** The second label, and all of its values. */
  readonly label: string;
  readonly values: readonly V[];
  /** The services that exist; asked at each scrape. */
  readonly services: () => Iterable<string>;
  readonly registry: Registry;
}

/**
 * Counts by service. Each service has all its series, starting at 0, as soon as it exists, and none once it is deleted. What
 * comes beyond `MAX_NAMES` services is counted together until one of those is deleted: no count ever goes back.
 */
export function serviceCounter<V extends string>(options: ServiceCounterOptions<V>) {
  const { name, help, label, values, services, registry } = options;
  const counts = new Map<string, Map<V, number>>();
  const others = new Map<V, number>();
  const countsOf = (service: string): Map<V, number> => {
    const known = counts.get(service);
    if (known !== undefined || counts.size >= MAX_NAMES) return known ?? others;
    const own = new Map<V, number>();
    counts.set(service, own);
    return own;
  };
  function* read(): Iterable<readonly [Record<string, string>, number]> {
    const present = new Set(services());
    for (const service of counts.keys()) if (!present.has(service)) counts.delete(service);
    for (const service of present) countsOf(service);
    const shown = others.size > 0 || present.size > counts.size ? [...counts, [OTHERS, others] as const] : counts;
    for (const [service, own] of shown) {
      for (const value of values) yield [{ service, [label]: value }, own.get(value) ?? 0];
    }
  }
  instrumentsOf(registry).total<string>(name, help, read, "service", label);
  return {
    inc: (service: string, value: V): void => {
      const own = countsOf(service);
      own.set(value, (own.get(value) ?? 0) + 1);
    },
  };
}
