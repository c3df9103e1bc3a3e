import { Gauge, type Registry } from "prom-client";

/** Adds a gauge that has no labels and is read at each scrape. */
export function addGauge(registry: Registry, name: string, help: string, value: () => number): void {
  registry.registerMetric(
    new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(value());
      },
    }),
  );
}
