import { byAge } from "./meta.ts";
import type { PathMatch, Route, Rule } from "./route.ts";

/** A rule of a route, as it competes with the rules of other routes for the same host. */
export interface PlacedRule {
  readonly route: Route;
  readonly rule: Rule;
  /** Its place in the route, for field paths. */
  readonly index: number;
}

/**
 * Orders rules of the same host by which is tried first: explicit priority, exact path, longest prefix, regex, number of
 * matchers, older route, name, place in the route. The order is total, so every replica has the same one.
 */
export function byPrecedence(a: PlacedRule, b: PlacedRule): number {
  return (
    b.rule.priority - a.rule.priority ||
    rank(a.rule.path) - rank(b.rule.path) ||
    length(b.rule.path) - length(a.rule.path) ||
    matchers(b.rule) - matchers(a.rule) ||
    byAge(a.route, b.route) ||
    a.index - b.index
  );
}

/** Equal for rules that match the same requests with the same priority: only the first of them can ever be reached. */
export function matchKey({ priority, path, headers, methods }: Rule): string {
  const texts = headers.map(({ name, kind, value, invert }) => JSON.stringify([name, kind, value, invert]));
  return JSON.stringify([priority, path, [...new Set(texts)].toSorted(), methods.toSorted()]);
}

function rank(path: PathMatch): number {
  return path.kind === "exact" ? 0 : path.kind === "prefix" ? 1 : 2;
}

function length(path: PathMatch): number {
  return path.kind === "regex" ? 0 : path.path.length;
}

function matchers(rule: Rule): number {
  return rule.headers.length + (rule.methods.length > 0 ? 1 : 0);
}
