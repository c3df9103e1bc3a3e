import { byName } from "./meta.ts";
import type { Name } from "./name.ts";
import type { PathMatch, Route } from "./route.ts";
import { byPrecedence, matchKey, type PlacedRule } from "./rule-order.ts";

/** Hosts that the same routes serve, and the rules for them in the order in which they are tried. */
export interface HostRules {
  /** Sorted; a host is in one group only. */
  readonly hosts: readonly string[];
  readonly rules: readonly PlacedRule[];
}

/** A rule that is never reached, since another one is tried before it and matches all that it does. */
export interface LostRule {
  readonly loser: PlacedRule;
  readonly winner: PlacedRule;
  readonly hosts: readonly string[];
}

export interface MergedRoutes {
  readonly groups: readonly HostRules[];
  /** Rules that match the same as another route's with the same priority; not among the rules of their group. */
  readonly lost: readonly LostRule[];
  /** Rules behind one that matches every request below a path. */
  readonly shadowed: readonly LostRule[];
}

/**
 * Merges the routes of one listener: the rules of all routes that name a host compete for it. A host that only a pattern
 * covers is a different one: requests go to the most specific host that matches, and nowhere else.
 */
export function mergeRoutes(routes: Iterable<Route>): MergedRoutes {
  const groups: HostRules[] = [];
  const lost: LostRule[] = [];
  const shadowed: LostRule[] = [];
  for (const { hosts, sharers } of groupHosts(routes)) {
    const rules: PlacedRule[] = [];
    const winners = new Map<string, PlacedRule>();
    const all = sharers.flatMap((route) => route.rules.map((rule, index) => ({ route, rule, index })));
    for (const placed of all.toSorted(byPrecedence)) {
      const key = matchKey(placed.rule);
      const winner = winners.get(key);
      if (winner !== undefined) {
        lost.push({ loser: placed, winner, hosts });
        continue;
      }
      winners.set(key, placed);
      rules.push(placed);
    }
    groups.push({ hosts, rules });
    for (const shadow of shadows(rules)) shadowed.push({ ...shadow, hosts });
  }
  return { groups, lost, shadowed };
}

function shadows(rules: readonly PlacedRule[]): Omit<LostRule, "hosts">[] {
  const found: Omit<LostRule, "hosts">[] = [];
  const open: PlacedRule[] = [];
  for (const placed of rules) {
    const winner = open.find(({ rule }) => covers(rule.path, placed.rule.path));
    if (winner !== undefined) found.push({ loser: placed, winner });
    const { path, headers, methods } = placed.rule;
    if (path.kind === "prefix" && headers.length === 0 && methods.length === 0) open.push(placed);
  }
  return found;
}

/** Whether a prefix matches every path that another match does. */
function covers(prefix: PathMatch, other: PathMatch): boolean {
  if (prefix.kind !== "prefix") return false;
  if (prefix.path === "/") return true;
  return other.kind !== "regex" && (other.path === prefix.path || other.path.startsWith(`${prefix.path}/`));
}

function groupHosts(
  routes: Iterable<Route>,
): { readonly hosts: readonly string[]; readonly sharers: readonly Route[] }[] {
  const places = [...routes].toSorted(byName).flatMap((route) => route.hosts.map((host) => ({ host, route })));
  const byHost = [...Map.groupBy(places, ({ host }) => host)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const groups = Map.groupBy(byHost, ([, sharers]) => sharers.map(({ route }): Name => route.name).join(" "));
  return Array.from(groups.values(), (group) => ({
    hosts: group.map(([host]) => host),
    sharers: group[0]?.[1].map(({ route }) => route) ?? [],
  }));
}
