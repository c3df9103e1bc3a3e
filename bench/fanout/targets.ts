/** What Fairlead has set itself, and how a run compares. */
import { markdownTable } from "../markdown-table.ts";
import type { Contestant } from "./programs.ts";
import { short } from "./report.ts";
import { type ContestResult, isQuiet, summaryOf, titleOf } from "./results.ts";
import type { Act, Row } from "./workloads.ts";

interface Target {
  readonly of: Partial<Pick<Row, "workload" | "variant" | "tls">> & {
    readonly backends?: number;
    readonly act?: Act["kind"];
  };
  readonly nodes?: number;
  readonly what: string;
  readonly figure: string;
  /** The figure is divided by this peer's. */
  readonly against?: Contestant;
  /** The figure is divided by this, to be in the unit that `what` names. */
  readonly unit?: number;
  readonly atMost: number;
  /** Said where it is missed. */
  readonly why?: string;
}

const CPU = { what: "CPU", figure: "cpuPerThousand", against: "linear" } as const;
const P99 = { what: "p99", figure: "p99", against: "linear" } as const;
const LAST = { what: "last client", figure: "last", against: "linear" } as const;
const MEMORY = { what: "memory per client", figure: "idleBytesPerClient", against: "linear" } as const;
const CONNECT = { what: "connect", figure: "connectMs", against: "linear" } as const;
const P99_MS = { what: "p99, ms", figure: "p99" } as const;

const PLAIN_W1 = { workload: "W1", tls: false } as const;
const TLS_W1 = { workload: "W1", tls: true } as const;
const PLAIN_W2 = { workload: "W2", tls: false } as const;
const ONE_SERVICE = [
  { workload: "W8", act: "ticks", backends: 100 },
  { workload: "W8", act: "ticks", backends: 1_000 },
] as const;

const SMALL_PUSHES = "of 25 µs of a push the kernel takes 11, Node itself 9, our JavaScript 5";
const LARGE_PUSHES =
  "bare sockets alone take 0.38 of what the peer takes, and 118 ms; HTTP/2 of Node, in frames of 16 KB, the rest";
const TLS_SLICES =
  "ten slices to bound memory; of the time, the kernel takes two fifths, encryption and the copies for it a third";
const SENT_ONE_BY_ONE =
  "each client takes 15 to 18 µs after the one before, of which bare sockets take 14 to 16; ACKs are read after that";
const ACKS_OF_NAMES =
  "1,000 ACKs with 1,000 names each are 20 MB beside V8's heap, for which it collects the heap, here on the same processor";
const COMMIT_FIRST =
  "the first client waits for call, flush to disk and derivation: 4 ms, with NATS 8; each further one 18 µs, the peer's 16";
const FLUSH_AND_PUSHES = "a write waits for its flush to disk, and for the pushes of the one before";
const PRODUCT = "beside the library's 25 µs a push, the product's books of each proxy take 5, commit and derivation 3";

/** Ratios are of medians in the same run; N = 1,000 unless said otherwise. */
const TARGETS: readonly Target[] = [
  { of: PLAIN_W1, ...CPU, atMost: 0.5, why: LARGE_PUSHES },
  { of: PLAIN_W1, ...P99, atMost: 0.5, why: LARGE_PUSHES },
  { of: PLAIN_W1, ...MEMORY, atMost: 1 },
  { of: PLAIN_W1, ...CPU, against: "tuned", atMost: 0.75, why: LARGE_PUSHES },
  { of: PLAIN_W1, ...CPU, against: "snapshot", atMost: 0.05 },
  { of: PLAIN_W1, ...P99, against: "snapshot", atMost: 0.05 },
  { of: PLAIN_W1, ...P99_MS, atMost: 100, why: LARGE_PUSHES },
  { of: TLS_W1, ...CPU, atMost: 0.65, why: TLS_SLICES },
  {
    of: TLS_W1,
    ...MEMORY,
    atMost: 3.5,
    why: "Node keeps memory of the size of the largest write for each TLS connection",
  },
  { of: PLAIN_W2, ...CPU, atMost: 0.7, why: SMALL_PUSHES },
  { of: PLAIN_W2, ...P99, atMost: 0.85, why: SENT_ONE_BY_ONE },
  { of: PLAIN_W2, what: "CPU per push, µs", figure: "cpuPerThousand", atMost: 40, why: SMALL_PUSHES },
  { of: { workload: "W3", variant: "delta" }, ...CPU, atMost: 0.08 },
  { of: { workload: "W3", variant: "delta" }, ...P99, atMost: 0.08 },
  { of: { workload: "W3", variant: "delta" }, ...MEMORY, atMost: 0.3 },
  { of: { workload: "W3", variant: "sotw" }, ...CPU, atMost: 0.12 },
  { of: { workload: "W3" }, what: "KB per client", figure: "idleBytesPerClient", unit: 1024, atMost: 70 },
  { of: { workload: "W4" }, ...CPU, atMost: 0.02 },
  { of: { workload: "W4" }, ...P99, atMost: 0.02 },
  ...["W2", "W3", "W4"].flatMap((workload): Target[] => [
    { of: { workload, variant: "delta", tls: false }, ...P99_MS, atMost: 20, why: SENT_ONE_BY_ONE },
    { of: { workload, tls: false }, nodes: 4000, ...P99_MS, atMost: 75, why: SENT_ONE_BY_ONE },
  ]),
  { of: { workload: "W2", variant: "sotw" }, ...P99_MS, atMost: 20, why: SENT_ONE_BY_ONE },
  { of: { workload: "W3", variant: "sotw" }, ...P99_MS, atMost: 20, why: ACKS_OF_NAMES },
  {
    of: { workload: "W7" },
    what: "p99 of the others / before",
    figure: "p99Grew",
    atMost: 1.1,
    why: "without them, too, it differs by a third between repetitions",
  },
  ...ONE_SERVICE.flatMap((of): Target[] => [
    { of, ...LAST, atMost: 1, why: COMMIT_FIRST },
    { of, ...CPU, atMost: 0.8, why: PRODUCT },
    { of, ...MEMORY, atMost: 1 },
    { of, ...CONNECT, atMost: 2, why: "a session of Node takes half a millisecond, the first state as much again" },
  ]),
  { of: { workload: "W8", act: "ticks", backends: 10_000 }, ...P99_MS, atMost: 100 },
  { of: { workload: "W8", act: "churn" }, ...P99, what: "staleness p99", atMost: 1, why: SENT_ONE_BY_ONE },
  { of: { workload: "W8", act: "churn" }, ...CPU, figure: "busyShare", atMost: 0.8, why: PRODUCT },
  {
    of: { workload: "W8", act: "churn" },
    what: "API write p99, ms",
    figure: "writeP99",
    atMost: 12,
    why: FLUSH_AND_PUSHES,
  },
  {
    of: { workload: "W8", act: "restart" },
    what: "all served after ready, s",
    figure: "servedMs",
    unit: 1000,
    atMost: 2,
  },
  { of: { workload: "W8", act: "restart" }, what: "sent again per client", figure: "resentPerClient", atMost: 0 },
  { of: { workload: "W8", act: "restart" }, what: "removed per client", figure: "removedPerClient", atMost: 0 },
];

/** Target, measured, and met or missed by how much; only what was measured and not disturbed. */
export function targetsText(results: readonly ContestResult[]): string {
  const rows = results.filter(isQuiet).flatMap((result) =>
    TARGETS.filter((target) => concerns(target, result)).flatMap((target) =>
      result.row.ours.flatMap((contestant) => {
        const value = measured(target, result, contestant);
        if (value === undefined) return [];
        const what = `${target.what}${target.against === undefined ? "" : ` / ${target.against}`}`;
        return [[titleOf(result), contestant, what, `≤ ${target.atMost}`, short(value), verdict(target, value)]];
      }),
    ),
  );
  return markdownTable(["", "", "what", "target", "measured", ""], rows);
}

function concerns({ of, nodes = 1000 }: Target, { row, nodes: measuredAt }: ContestResult): boolean {
  return (
    nodes === measuredAt &&
    (of.workload ?? row.workload) === row.workload &&
    (of.variant ?? row.variant) === row.variant &&
    (of.tls ?? row.tls) === row.tls &&
    (of.act ?? row.act.kind) === row.act.kind &&
    (of.backends ?? row.content.resources * row.content.endpoints) === row.content.resources * row.content.endpoints
  );
}

function measured({ figure, against, unit = 1 }: Target, result: ContestResult, ours: Contestant): number | undefined {
  const mine = summaryOf(result, ours)?.[figure]?.median;
  if (mine === undefined || against === undefined) return mine === undefined ? undefined : mine / unit;
  const theirs = summaryOf(result, against)?.[figure]?.median;
  return theirs === undefined ? undefined : mine / theirs;
}

function verdict({ atMost, why }: Target, value: number): string {
  if (value <= atMost) return "met";
  const by = atMost === 0 ? short(value) : `${((value / atMost - 1) * 100).toFixed(0)} %`;
  return `missed by ${by}${why === undefined ? "" : `: ${why}`}`;
}
