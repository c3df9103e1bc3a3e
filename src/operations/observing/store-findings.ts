import type { StoreStatus } from "../../store/store.ts";
import type { Finding } from "./finding.ts";

/** A store's clock and a machine's may differ by this much before somebody should know. */
const CLOCK_OFFSET_SHOWN_MS = 60_000;

/** What is wrong with the store, for people on call. */
export function storeFindings({ kind, frozen, away, fault, clockOffsetMs }: StoreStatus): Finding[] {
  const found: Finding[] = [];
  if (frozen !== undefined) found.push({ what: "store went back", since: undefined, why: frozen });
  if (away !== undefined) {
    const why = `${away.why}; proxies are served the last state, and nothing can be written`;
    const what = kind === "embedded" ? "store cannot be written" : "store cannot be reached";
    found.push({ what, since: away.since, why });
  }
  if (fault !== undefined)
    found.push({ what: "store is not set up as it must be", since: fault.since, why: fault.why });
  return [...found, ...clockFindings(clockOffsetMs)];
}

function clockFindings(offsetMs: number): Finding[] {
  if (Math.abs(offsetMs) < CLOCK_OFFSET_SHOWN_MS) return [];
  const isAhead = offsetMs > 0;
  const what = `store's clock is ${inWords(Math.abs(offsetMs))} ${isAhead ? "ahead of" : "behind"} this machine's`;
  const cause = isAhead
    ? "a clock was ahead once, or this machine's is behind; the times shown are the store's"
    : "this machine's clock was set, or the machine slept: if it is right now, restart the planes to take it over";
  return [
    { what, since: undefined, why: `${cause}; drains and expiries go by elapsed time, and the two clocks converge` },
  ];
}

function inWords(ms: number): string {
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`;
}
