/** What is measured: W1 to W7. Each row of the table is one workload in one variant, at some numbers of clients. */
import type { Contestant } from "./programs.ts";

export type Variant = "sotw" | "delta";

export interface Content {
  readonly members: boolean;
  readonly resources: number;
  readonly endpoints: number;
}

export interface Row {
  readonly workload: string;
  readonly title: string;
  readonly variant: Variant;
  readonly tls: boolean;
  readonly content: Content;
  readonly peers: readonly Contestant[];
  readonly act:
    | { readonly kind: "ticks" }
    | { readonly kind: "churn"; readonly perSecond: number; readonly stalledShare: number }
    | { readonly kind: "storm" };
}

const LARGE: Content = { members: false, resources: 1, endpoints: 10_000 };
const SMALL: Content = { members: false, resources: 1, endpoints: 16 };
const MANY: Content = { members: false, resources: 1_000, endpoints: 10 };
const MEMBERS: Content = { members: true, resources: 1, endpoints: 10_000 };

const LARGE_TITLE = "one assignment of 10,000 endpoints (600 KB)";
const SMALL_TITLE = "one assignment of 16 endpoints (1 KB)";
const MANY_TITLE = "1,000 assignments of 10 endpoints, one changes";
const MEMBERS_TITLE = "LEDS, 10,000 endpoints, one changes";

export const ROWS: readonly Row[] = [
  ticks("W1", LARGE_TITLE, LARGE, "sotw", ["linear", "tuned", "snapshot"]),
  ticks("W1", LARGE_TITLE, LARGE, "delta", ["linear", "tuned", "snapshot"]),
  { ...ticks("W1", LARGE_TITLE, LARGE, "delta", ["linear"]), tls: true },
  ticks("W2", SMALL_TITLE, SMALL, "sotw", ["linear", "snapshot"]),
  ticks("W2", SMALL_TITLE, SMALL, "delta", ["linear", "snapshot"]),
  { ...ticks("W2", SMALL_TITLE, SMALL, "delta", ["linear"]), tls: true },
  ticks("W3", MANY_TITLE, MANY, "delta", ["linear"]),
  ticks("W3", MANY_TITLE, MANY, "sotw", ["linear"]),
  ticks("W4", MEMBERS_TITLE, MEMBERS, "delta", ["linear"]),
  churn("W5", LARGE_TITLE, LARGE, 50),
  churn("W5", MANY_TITLE, MANY, 50),
  churn("W5", MANY_TITLE, MANY, 500),
  churn("W5", MEMBERS_TITLE, MEMBERS, 50),
  {
    ...ticks("W6", `connect storm with TLS and a node of 61 KB, then reconnect; ${MANY_TITLE}`, MANY, "delta", [
      "linear",
    ]),
    tls: true,
    act: { kind: "storm" },
  },
  churn("W7", `5 % of the clients do not read; ${LARGE_TITLE}`, LARGE, 50, 0.05),
];

function ticks(workload: string, title: string, content: Content, variant: Variant, peers: readonly Contestant[]): Row {
  return { workload, title, variant, content, peers, tls: false, act: { kind: "ticks" } };
}

function churn(workload: string, title: string, content: Content, perSecond: number, stalledShare = 0): Row {
  const act = { kind: "churn", perSecond, stalledShare } as const;
  return { ...ticks(workload, `${perSecond} changes/s; ${title}`, content, "delta", ["linear"]), act };
}
