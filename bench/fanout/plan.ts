/** What a run is to do, from its options. */
import { parseArgs } from "node:util";
import type { Contestant } from "./programs.ts";
import type { Effort } from "./trial.ts";
import { ROWS, type Row } from "./workloads.ts";

export const HELP = `npm run bench -- fanout [OPTIONS]

  --quick            all contestants at N = 1,000, fewer and shorter repetitions: about half an hour
  --smoke            a few clients, one short repetition each, nothing is judged: half a minute
  --workload W1,W2   only these (default: all of W1 to W8)
  --contestant A,B   only these of fairlead, embedded, nats, linear, tuned, snapshot, java
  --n 1000,4000      numbers of clients (default: 1,000, and 4,000 in W2 to W4)
  --reps 3           repetitions of each contestant
  --seconds 30       length of a churn
`;

export interface Plan {
  readonly contests: readonly { readonly row: Row; readonly nodes: number }[];
  readonly repetitions: number;
  readonly effort: Omit<Effort, "nodes" | "tls">;
  readonly smoke: boolean;
}

const FULL = { warmUps: 30, ticks: 7, churnSeconds: 30, settleMs: 400, timeoutMs: 300_000, repetitions: 3 };
const QUICK = { ...FULL, ticks: 5, churnSeconds: 5, repetitions: 2 };
const SMOKE = { warmUps: 1, ticks: 2, churnSeconds: 0.5, settleMs: 20, timeoutMs: 60_000, repetitions: 1 };

/** Nothing when help is asked for. @throws Error for an option that is not there */
export function readPlan(args: readonly string[]): Plan | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workload: { type: "string" },
      contestant: { type: "string" },
      n: { type: "string" },
      reps: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      smoke: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const { smoke, quick } = values;
  const { repetitions, ...effort } = smoke ? SMOKE : quick ? QUICK : FULL;
  const workloads = values.workload?.split(",");
  const contestants = values.contestant?.split(",");
  const belongs = smoke ? inSmoke : quick ? inQuick : () => true;
  const rows = ROWS.filter((row) => workloads?.includes(row.workload) ?? belongs(row))
    .map((row) => {
      const chosen = (all: readonly Contestant[]) => all.filter((name) => contestants?.includes(name) ?? true);
      const peers = chosen(row.peers);
      return { ...row, ours: chosen(row.ours), peers: smoke ? peers.slice(0, 1) : peers };
    })
    .filter(({ ours, peers }) => ours.length + peers.length > 0);
  const wanted = values.n?.split(",").map(Number) ?? (smoke ? [10] : quick ? [1000] : undefined);
  const contests = rows.flatMap((row) => (wanted ?? row.nodes).map((nodes) => ({ row: forNodes(row, nodes), nodes })));
  return {
    // What takes longest comes last: a run that is cut off has measured something of all.
    contests: contests.toSorted((a, b) => a.nodes - b.nodes),
    repetitions: Number(values.reps ?? repetitions),
    effort: values.seconds === undefined ? effort : { ...effort, churnSeconds: Number(values.seconds) },
    smoke,
  };
}

/**
 * The other peers take minutes for one change when clients are many. With LEDS, go-control-plane resets connections
 * before all of so many clients have their first state.
 */
function forNodes(row: Row, nodes: number): Row {
  if (nodes <= 1000) return row;
  return { ...row, peers: row.peers.filter((peer) => peer === "linear" && row.workload !== "W4") };
}

/** Where both variants cost about the same, one is enough. */
function inQuick({ workload, variant }: Row): boolean {
  return variant === "delta" || workload === "W3";
}

/** One row of each kind. */
function inSmoke({ workload, variant, tls, act, content }: Row): boolean {
  if (workload === "W8") return content.resources === 1 && content.endpoints === 100;
  return act.kind === "ticks" && variant === "delta" && !tls && (workload === "W2" || workload === "W3");
}
