import { Counter, type Registry } from "prom-client";

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

/** Counts by service. Each service has all its series, starting at 0, as soon as it exists, and none once it is deleted. */
export function serviceCounter<V extends string>(options: ServiceCounterOptions<V>) {
  const { name, help, label, values, services, registry } = options;
  const counts = new Map<string, Map<V, number>>();
  const counter = new Counter({
    name,
    help,
    labelNames: ["service", label],
    registers: [],
    collect() {
      const present = new Set(services());
      for (const service of counts.keys()) if (!present.has(service)) counts.delete(service);
      this.reset();
      for (const service of present) {
        for (const value of values) this.inc({ service, [label]: value }, counts.get(service)?.get(value) ?? 0);
      }
    },
  });
  registry.registerMetric(counter);
  return {
    inc: (service: string, value: V): void => {
      const own = counts.get(service) ?? new Map<V, number>();
      counts.set(service, own.set(value, (own.get(value) ?? 0) + 1));
    },
  };
}
