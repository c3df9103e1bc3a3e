import type { Progress, ToldNode } from "./node-directory.ts";
import { oneProxyEach } from "./one-proxy.ts";
import { isOutlivedBy } from "./outlived.ts";

/**
 * Merges what several replicas report about their proxies into one list, sorted by id. A proxy that moved is listed where it
 * is connected; for one that is away, the latest report counts. An id that two replicas serve at once is a duplicate, except
 * while a hot restart may be the reason: then only the new process is listed.
 */
export function mergeNodes(nodes: readonly ToldNode[], now: number): readonly ToldNode[] {
  const merged = [...Map.groupBy(nodes, ({ id }) => id).values()].flatMap((ofId) => {
    const connected = ofId.filter((node) => node.connected);
    if (connected.length > 0) return oneProxyEach(withoutOutlived(connected, now));
    return ofId.reduce((a, b) => (b.since > a.since ? b : a));
  });
  return merged.sort((a, b) => order(a.id, b.id) || a.since - b.since || order(a.replica, b.replica));
}

/** Each replica knows only of duplicates among its own streams, and of none when it reports only the place. */
function withoutOutlived(ofId: readonly ToldNode[], now: number): readonly ToldNode[] {
  const kept = ofId.filter((node) => !isOutlived(node, ofId, now));
  const isWhole = kept.length === ofId.length;
  return kept.map((node) => {
    const { sole } = node;
    const shared = sole !== undefined && kept.some((other) => other !== node && other.sole === sole);
    const duplicate = shared || (isWhole && node.duplicate);
    return duplicate === node.duplicate ? node : { ...node, duplicate };
  });
}

/** Replicas that hold only streams of a proxy that belong to the old process of a hot restart. */
export function outlivedReplicas(ofId: readonly ToldNode[], now: number): ReadonlySet<string> {
  const connected = ofId.filter((node) => node.connected);
  const isKept = (node: ToldNode) => !isOutlived(node, connected, now);
  const byReplica = Map.groupBy(
    connected.filter(({ sole }) => sole !== undefined),
    ({ replica }) => replica,
  );
  return new Set([...byReplica].flatMap(([replica, nodes]) => (nodes.some(isKept) ? [] : replica)));
}

function isOutlived(node: ToldNode, ofId: readonly ToldNode[], now: number): boolean {
  return ofId.some((other) => isOutlivedBy(opened(node), opened(other), now));
}

function opened({ sole, peer, since }: ToldNode) {
  return { sole, peer, openedAt: since };
}

/** The worst comes first: what one stream has not acknowledged is not done, whatever another stream of the same id says. */
const WORST = ["refused", "held", "sent", "unknown", "done"] as const;

/** Times that replicas report for a proxy's departure may differ by this much without showing which of them held it last. */
const CLOCKS_APART_MS = 5000;

/**
 * The progress of a proxy that several replicas report. The replica it is connected to counts; one that only remembers it
 * does not. If it is away, the last replica that held it knows what it owes. Undefined when no replica knows it.
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
 * What is done on every stream is done once the proxy asks for exactly the collections that it was told of. A proxy whose
 * collection streams reconnect before its main one is not done: it still acts on what it was told before.
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
