/** Where cost is measured: one dimension grows, the others stay. */
import type { Act, Content, Row } from "../fanout/workloads.ts";

export interface Point {
  readonly axis: Axis;
  readonly value: number;
  readonly proxies: number;
  readonly services: number;
  readonly backendsPerService: number;
  /** Changes follow each other, each awaited by all; or come at so many a second. */
  readonly changesPerSecond: number | undefined;
}

/** Many backends at few proxies tell what it costs to derive a message from what it costs to send it. */
export type Axis = "proxies" | "backends per service" | "backends at few proxies" | "services" | "changes per second";

type Values = Readonly<Record<Axis, readonly number[]>>;

const FULL: Values = {
  proxies: [100, 1_000, 4_000, 10_000],
  "backends per service": [10, 100, 1_000, 10_000, 100_000],
  "backends at few proxies": [10_000, 100_000],
  services: [10, 100, 1_000, 10_000],
  "changes per second": [1, 10, 100, 1_000],
};

const QUICK: Values = {
  proxies: [100, 1_000, 4_000],
  "backends per service": [10, 1_000, 10_000],
  "backends at few proxies": [10_000],
  services: [10, 100, 1_000],
  "changes per second": [1, 100, 1_000],
};

const SMOKE: Values = {
  proxies: [2, 10],
  "backends per service": [3],
  "backends at few proxies": [],
  services: [2],
  "changes per second": [20],
};

export function pointsOf(size: "full" | "quick" | "smoke", axes: readonly Axis[] | undefined): Point[] {
  const values = { full: FULL, quick: QUICK, smoke: SMOKE }[size];
  const few = size === "smoke" ? 5 : 100;
  const base = { proxies: few, services: 10, backendsPerService: 10, changesPerSecond: undefined };
  const grow: { readonly [A in Axis]: (value: number) => Omit<Point, "axis" | "value"> } = {
    proxies: (value) => ({ ...base, proxies: value }),
    "backends per service": (value) => ({ ...base, services: 1, backendsPerService: value }),
    "backends at few proxies": (value) => ({ ...base, proxies: few / 20, services: 1, backendsPerService: value }),
    services: (value) => ({ ...base, services: value }),
    "changes per second": (value) => ({ ...base, proxies: few * 10, services: 100, changesPerSecond: value }),
  };
  return (Object.keys(grow) as Axis[])
    .filter((axis) => axes?.includes(axis) ?? true)
    .flatMap((axis) => values[axis].map((value) => ({ axis, value, ...grow[axis](value) })));
}

/** The point as a row of the fan-out bench. */
export function rowOf({ services, backendsPerService, changesPerSecond }: Point): Row {
  const content: Content = { members: false, resources: services, endpoints: backendsPerService };
  const act: Act =
    changesPerSecond === undefined
      ? { kind: "ticks" }
      : { kind: "churn", perSecond: changesPerSecond, stalledShare: 0 };
  const contestants = { ours: ["embedded"], peers: [], nodes: [] } as const;
  return {
    workload: "growth",
    title: "",
    variant: "delta",
    tls: false,
    content,
    throughApi: true,
    act,
    ...contestants,
  };
}
