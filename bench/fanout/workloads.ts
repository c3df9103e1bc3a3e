/** What is measured: W1 to W8. Each row is one workload in one variant, at some numbers of clients. */
import type { Contestant } from "./programs.ts";

export type Variant = "sotw" | "delta";

export interface Content {
  readonly members: boolean;
  readonly resources: number;
  readonly endpoints: number;
}

/** What is done with the servers once they run. */
export type Act =
  | { readonly kind: "ticks" }
  | {
      readonly kind: "churn";
      readonly perSecond: number;
      /** Of the clients stops reading meanwhile. */
      readonly stalledShare: number;
    }
  | { readonly kind: "storm" }
  | { readonly kind: "restart" };

export interface Row {
  readonly workload: string;
  readonly title: string;
  readonly variant: Variant;
  readonly tls: boolean;
  readonly content: Content;
  /** Those of ours, the judged one first. */
  readonly ours: readonly Contestant[];
  readonly peers: readonly Contestant[];
  /** Numbers of clients of a full run. */
  readonly nodes: readonly number[];
  /** Changes are calls to the server's own API, and clients ask for clusters, listeners and routes too. */
  readonly throughApi: boolean;
  readonly act: Act;
}

const LARGE: Content = { members: false, resources: 1, endpoints: 10_000 };
const SMALL: Content = { members: false, resources: 1, endpoints: 16 };
const MANY: Content = { members: false, resources: 1_000, endpoints: 10 };
const MEMBERS: Content = { members: true, resources: 1, endpoints: 10_000 };
const SERVICE: Content = { members: false, resources: 1, endpoints: 100 };
const LARGE_SERVICE: Content = { members: false, resources: 1, endpoints: 1_000 };
const SERVICES: Content = { members: false, resources: 100, endpoints: 100 };

const LARGE_TITLE = "one assignment of 10,000 endpoints (600 KB)";
const SMALL_TITLE = "one assignment of 16 endpoints (1 KB)";
const MANY_TITLE = "1,000 assignments of 10 endpoints, one changes";
const MEMBERS_TITLE = "LEDS, 10,000 endpoints, one changes";
const SERVICE_TITLE = "the whole product; 1 service of 100 backends";
const LARGE_SERVICE_TITLE = "the whole product; 1 service of 1,000 backends";
const SERVICES_TITLE = "the whole product; 100 services of 100 backends";

export const ROWS: readonly Row[] = [
  ticks("W1", LARGE_TITLE, LARGE, "sotw", ["linear", "tuned", "snapshot", "java"]),
  ticks("W1", LARGE_TITLE, LARGE, "delta", ["linear", "tuned", "snapshot", "java"]),
  { ...ticks("W1", LARGE_TITLE, LARGE, "delta", ["linear"]), tls: true },
  ticks("W2", SMALL_TITLE, SMALL, "sotw", ["linear", "snapshot", "java"]),
  atScale(ticks("W2", SMALL_TITLE, SMALL, "delta", ["linear", "snapshot", "java"])),
  { ...ticks("W2", SMALL_TITLE, SMALL, "delta", ["linear"]), tls: true },
  atScale(ticks("W3", MANY_TITLE, MANY, "delta", ["linear", "java"])),
  ticks("W3", MANY_TITLE, MANY, "sotw", ["linear", "java"]),
  atScale(ticks("W4", MEMBERS_TITLE, MEMBERS, "delta", ["linear"])),
  churn("W5", LARGE_TITLE, LARGE, 50),
  churn("W5", LARGE_TITLE, LARGE, 500),
  churn("W5", MANY_TITLE, MANY, 50),
  churn("W5", MANY_TITLE, MANY, 500),
  churn("W5", MEMBERS_TITLE, MEMBERS, 50),
  churn("W5", MEMBERS_TITLE, MEMBERS, 500),
  {
    ...ticks("W6", `all connect at once, then reconnect; node of 61 KB; ${MANY_TITLE}`, MANY, "delta", ["linear"]),
    tls: true,
    act: { kind: "storm" },
  },
  churn("W7", LARGE_TITLE, LARGE, 50, 0.05),
  churn("W7", MANY_TITLE, MANY, 50, 0.05),
  product(ticks("W8", SERVICE_TITLE, SERVICE, "delta", ["linear"])),
  product(ticks("W8", LARGE_SERVICE_TITLE, LARGE_SERVICE, "delta", ["linear"])),
  product(ticks("W8", SERVICES_TITLE, SERVICES, "delta", ["linear"])),
  product(churn("W8", SERVICE_TITLE, SERVICE, 10)),
  product({
    ...ticks("W8", `kill -9 and start again; ${SERVICE_TITLE}`, SERVICE, "delta", []),
    act: { kind: "restart" },
  }),
];

function ticks(workload: string, title: string, content: Content, variant: Variant, peers: readonly Contestant[]): Row {
  const common = { tls: false, ours: ["fairlead"], nodes: [1000], throughApi: false } as const;
  return { workload, title, variant, content, peers, ...common, act: { kind: "ticks" } };
}

function churn(workload: string, title: string, content: Content, perSecond: number, stalledShare = 0): Row {
  const act = { kind: "churn", perSecond, stalledShare } as const;
  const how = stalledShare > 0 ? `, ${stalledShare * 100} % of the clients stop reading` : "";
  const row = ticks(workload, `${perSecond} changes/s${how}; ${title}`, content, "delta", ["linear"]);
  return { ...row, act };
}

/** Also measured with more clients. */
function atScale(row: Row): Row {
  return { ...row, nodes: [1000, 4000] };
}

function product(row: Row): Row {
  return { ...row, ours: ["embedded", "nats"], throughApi: true };
}
