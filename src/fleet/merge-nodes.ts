import type { NodeView, Progress } from "./node-directory.ts";
import { oneProxyEach } from "./one-proxy.ts";

/**
 * What several replicas tell of their proxies, as one list, sorted by id. A proxy that moved is where it is connected; of
 * one that is away, the last that was seen of it stands. An id that is served twice, here and there, is a duplicate.
 */
export function mergeNodes(views: readonly NodeView[]): readonly NodeView[] {
  const merged = [...Map.groupBy(views, ({ id }) => id).values()].flatMap((ofId) => {
    const connected = ofId.filter((view) => view.connected);
    if (connected.length > 0) return oneProxyEach(connected.map((view) => marked(view, connected)));
    return ofId.reduce((a, b) => (b.since > a.since ? b : a));
  });
  return merged.sort((a, b) => order(a.id, b.id) || a.since - b.since || order(a.replica, b.replica));
}

/** Each replica knows of duplicates on its own streams only, and of none where it tells no more than the place. */
function marked(view: NodeView, others: readonly NodeView[]): NodeView {
  const { sole } = view;
  const duplicate =
    view.duplicate || (sole !== undefined && others.some((other) => other !== view && other.sole === sole));
  return duplicate === view.duplicate ? view : { ...view, duplicate };
}

/** The worst first: what one stream has not acknowledged is not done, whatever another one of the same id says. */
const WORST = ["refused", "held", "sent", "unknown", "done"] as const;

/** What replicas tell of when a proxy left may be so far apart that nobody knows which was the last that held it. */
const CLOCKS_APART_MS = 5000;

/**
 * How far a proxy is of which several replicas tell. It is where it is connected: that another one remembers it counts for
 * nothing. Of one that is away, the last that held it knows what it owes. Nothing is told: it is nowhere that anybody knows.
 */
export function mergeProgress(told: readonly Progress[]): Progress | undefined {
  for (const state of WORST) {
    const found = told.find((progress) => progress.state === state);
    if (found !== undefined) return found.state === "done" ? whenAsked(told) : found;
  }
  const away = told.filter((progress) => progress.state === "disconnected");
  const lastLeftAt = Math.max(...away.map(({ leftAt = Number.POSITIVE_INFINITY }) => leftAt));
  const owing = away.find(({ leftAt = lastLeftAt, nothingDue }) => {
    return nothingDue !== true && leftAt >= lastLeftAt - CLOCKS_APART_MS;
  });
  return owing ?? away[0];
}

/**
 * What is done on every stream is done, once the proxy asks for just the collections that it was told of. One whose streams
 * for collections are back before its main one is not: it goes by what it was told before.
 */
function whenAsked(told: readonly Progress[]): Progress {
  const collections = told.flatMap((one) => (one.state === "done" && one.collections) || []);
  const named = new Set(collections.flatMap((each) => each.named));
  const asked = new Set(collections.flatMap((each) => each.asked));
  for (const name of named) if (!asked.has(name)) return { state: "sent", message: `it has not asked for ${name} yet` };
  for (const name of asked) if (!named.has(name)) return { state: "sent", message: `it still asks for ${name}` };
  return { state: "done" };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
