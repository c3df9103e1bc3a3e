/** `npm run bench -- sizing`: the calculator, for one fleet or for some examples. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { short } from "../fanout/report.ts";
import { markdownTable } from "../markdown-table.ts";
import { type Fleet, sizeFleet } from "./sizing.ts";
import type { UnitCosts } from "./unit-costs.ts";

/** What `npm run bench -- document` keeps of the last growth run. */
export const COSTS_FILE = join(import.meta.dirname, "unit-costs.json");

const HELP = `npm run bench -- sizing [OPTIONS]

  --proxies 10000          without options: a table of examples
  --services 1000
  --backends 20000
  --services-per-proxy N   how many services a proxy's routes lead to (default: all)
  --changes 10             changes of backends and their health a second
`;

const EXAMPLES: readonly Fleet[] = [
  { proxies: 10, services: 10, backends: 50, servicesPerProxy: 10, changesPerSecond: 1 },
  { proxies: 100, services: 100, backends: 1_000, servicesPerProxy: 100, changesPerSecond: 5 },
  { proxies: 1_000, services: 100, backends: 10_000, servicesPerProxy: 100, changesPerSecond: 5 },
  { proxies: 1_000, services: 1_000, backends: 10_000, servicesPerProxy: 50, changesPerSecond: 50 },
  { proxies: 10_000, services: 1_000, backends: 20_000, servicesPerProxy: 50, changesPerSecond: 20 },
  { proxies: 50_000, services: 5_000, backends: 100_000, servicesPerProxy: 50, changesPerSecond: 50 },
  { proxies: 100_000, services: 10_000, backends: 200_000, servicesPerProxy: 50, changesPerSecond: 50 },
];

export async function runSizing(args: readonly string[]): Promise<undefined> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ proxies: text, services: text, backends: text, "services-per-proxy": text, changes: text },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  const { proxies, services = "1", backends = services, changes = "1" } = values;
  const servicesPerProxy = Number(values["services-per-proxy"] ?? services);
  const counts = { services: Number(services), backends: Number(backends), changesPerSecond: Number(changes) };
  const fleets = proxies === undefined ? EXAMPLES : [{ proxies: Number(proxies), ...counts, servicesPerProxy }];
  console.log(sizingText(fleets, JSON.parse(readFileSync(COSTS_FILE, "utf8")) as UnitCosts));
  return undefined;
}

export function sizingText(fleets: readonly Fleet[], costs: UnitCosts): string {
  const head = ["proxies", "services", "backends", "services/proxy", "changes/s", "replicas", "proxies each"];
  const more = ["core each %", "memory each MB", "network each Mbit/s", "takeover s"];
  const rows = fleets.map((fleet) => {
    const { proxies, services, backends, servicesPerProxy, changesPerSecond } = fleet;
    const sizing = sizeFleet(fleet, costs);
    const { coreShare, memoryMb, networkMbit, takeoverSeconds } = sizing;
    const counts = [proxies, services, backends, servicesPerProxy, changesPerSecond, sizing.replicas, sizing.proxies];
    const sizes = [coreShare * 100, memoryMb, networkMbit, takeoverSeconds];
    return [...counts.map((count) => count.toLocaleString("en")), ...sizes.map(short)];
  });
  return markdownTable([...head, ...more], rows);
}

export function examplesText(costs: UnitCosts): string {
  return sizingText(EXAMPLES, costs);
}
