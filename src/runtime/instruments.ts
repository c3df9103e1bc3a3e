import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** One number or, with labels, one for each set of them. */
type Reading<L extends string> = [L] extends [never]
  ? number
  : Iterable<readonly [labels: Readonly<Record<L, string>>, value: number]>;

/** Asked at each scrape. */
type Read<L extends string> = () => Reading<L> | Promise<Reading<L>>;

/**
 * Adds instruments to a registry, by their name, their help text and their labels: those that are told of each event, and
 * those that are read at each scrape, whose series are the ones that the reading has.
 */
export function instrumentsOf(registry: Registry) {
  const registers = [registry];
  return {
    counter: <L extends string = never>(name: string, help: string, ...labelNames: L[]) =>
      new Counter<L>({ name, help, labelNames, registers }),
    histogram: <L extends string = never>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
      new Histogram<L>({ name, help, buckets, labelNames, registers }),
    gauge: <L extends string = never>(name: string, help: string, read: Read<L>, ...labelNames: L[]) => {
      const gauge: Gauge<L> = new Gauge<L>({
        name,
        help,
        labelNames,
        registers,
        collect: async () => show(gauge, gauge.set.bind(gauge), await read()),
      });
    },
    /** What is counted elsewhere. */
    total: <L extends string = never>(name: string, help: string, read: Read<L>, ...labelNames: L[]) => {
      const counter: Counter<L> = new Counter<L>({
        name,
        help,
        labelNames,
        registers,
        collect: async () => show(counter, counter.inc.bind(counter), await read()),
      });
    },
  };
}

function show(
  instrument: { reset(): void },
  put: { (value: number): void; (labels: object, value: number): void },
  reading: number | Iterable<readonly [object, number]>,
): void {
  instrument.reset();
  if (typeof reading === "number") put(reading);
  else for (const [labels, value] of reading) put(labels, value);
}
