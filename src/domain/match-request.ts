import { RE2JS } from "re2js";
import { type HostRules, mergeRoutes } from "./merge-routes.ts";
import { matchedPath } from "./normal-path.ts";
import type { HeaderMatch, PathMatch, Route, Rule } from "./route.ts";
import type { PlacedRule } from "./rule-order.ts";

/** A request as it arrives at a listener. */
export interface HttpRequest {
  /** With its port or without. */
  readonly host: string;
  /** Path and query, as they are sent. */
  readonly target: string;
  readonly method: string;
  /** By lower-case name; several values of one name are joined with commas. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Where the rules of a listener lead a request. */
export interface RequestMatch {
  /** The route's host that covers the request's; undefined when none does. */
  readonly host: string | undefined;
  /** The path that is matched; undefined when the request is answered before. */
  readonly path: string | undefined;
  readonly rule: PlacedRule | undefined;
  /** The rules before it, in the order in which they are tried. */
  readonly passed: readonly { readonly rule: PlacedRule; readonly why: string }[];
  /** What the proxy answers itself; undefined when a rule matches. */
  readonly answer: { readonly status: number; readonly why: string } | undefined;
}

/** Decides what Envoy decides: it goes by the same hosts, and tries the same rules in the same order. */
export function matchRequest(routes: Iterable<Route>, request: HttpRequest): RequestMatch {
  const answered = (status: number, why: string, found: Partial<RequestMatch> = {}): RequestMatch => ({
    ...{ host: undefined, path: undefined, rule: undefined, passed: [] },
    ...found,
    answer: { status, why },
  });
  const underscored = Object.keys(request.headers).find((name) => name.includes("_"));
  if (underscored !== undefined) return answered(400, `the header ${underscored} has an underscore in its name`);
  const path = matchedPath(request.target);
  if (path === undefined) {
    return answered(307, "the path has an escaped slash: the client is redirected to the same path with a plain one");
  }
  const found = findHost(mergeRoutes(routes).groups, request.host);
  if (found === undefined) return answered(404, `no route has the host ${withoutPort(request.host)}`, { path });
  const { host, group } = found;
  const passed: { rule: PlacedRule; why: string }[] = [];
  for (const rule of group.rules) {
    const why = whyNot(rule.rule, path, request);
    if (why === undefined) return { host, path, rule, passed, answer: undefined };
    passed.push({ rule, why });
  }
  return answered(404, `no rule of ${host} matches`, { host, path, passed });
}

/** The host itself, else the longest pattern with the same ending, else `*`. */
function findHost(groups: readonly HostRules[], asked: string): { host: string; group: HostRules } | undefined {
  const name = withoutPort(asked).toLowerCase();
  const hosts = groups.flatMap((group) => group.hosts.map((host) => ({ host, group })));
  const covering = hosts.filter(({ host }) => host === name || (host.startsWith("*") && covers(host.slice(1), name)));
  return covering.toSorted((a, b) => rank(b.host, name) - rank(a.host, name))[0];
}

function covers(ending: string, name: string): boolean {
  return ending === "" || (name.length > ending.length && name.endsWith(ending));
}

function rank(host: string, name: string): number {
  return host === name ? Number.POSITIVE_INFINITY : host.length;
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, "");
}

/** Why a rule does not match; undefined when it does. */
function whyNot({ path, methods, headers }: Rule, asked: string, request: HttpRequest): string | undefined {
  if (!pathMatches(path, asked)) return `path is not ${pathText(path)}`;
  if (methods.length > 0 && !methods.includes(request.method)) {
    return `method is ${request.method}, not ${methods.join(" or ")}`;
  }
  const missed = headers.find((header) => !headerMatches(header, request));
  return missed === undefined ? undefined : `header ${headerText(missed)} does not hold`;
}

export function pathText(path: PathMatch): string {
  return path.kind === "regex" ? `regex ${path.regex}` : `${path.kind} ${path.path}`;
}

function pathMatches(match: PathMatch, path: string): boolean {
  if (match.kind === "exact") return path === match.path;
  if (match.kind === "regex") return wholly(match.regex, path);
  return match.path === "/" || path === match.path || path.startsWith(`${match.path}/`);
}

function headerMatches({ name, kind, value, invert }: HeaderMatch, request: HttpRequest): boolean {
  const given = headerValue(name.toLowerCase(), request);
  if (kind === "present") return (given !== undefined) !== invert;
  // When inverted, a missing header counts as an empty one.
  if (given === undefined && !invert) return false;
  return textMatches(kind, given ?? "", value) !== invert;
}

function headerValue(name: string, { host, method, headers }: HttpRequest): string | undefined {
  if (name === ":method") return method;
  return name === "host" || name === ":authority" ? host : headers[name];
}

function textMatches(kind: Exclude<HeaderMatch["kind"], "present">, given: string, value: string): boolean {
  switch (kind) {
    case "exact":
      return given === value;
    case "prefix":
      return given.startsWith(value);
    case "suffix":
      return given.endsWith(value);
    case "contains":
      return given.includes(value);
    case "regex":
      return wholly(value, given);
  }
}

function wholly(regex: string, text: string): boolean {
  return RE2JS.compile(regex).matches(text);
}

function headerText({ name, kind, value, invert }: HeaderMatch): string {
  const what = kind === "present" ? `${name} present` : `${name} ${kind} ${value}`;
  return invert ? `not (${what})` : what;
}
