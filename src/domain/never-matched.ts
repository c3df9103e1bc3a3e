import { normalPath } from "./normal-path.ts";
import { printableStart } from "./printable.ts";
import { programOf, textInBoth } from "./regex-overlap.ts";
import type { HeaderMatch, Rule } from "./route.ts";
import { CONTROL_CHARACTER, HEADER_VALUE, MATCHED_PATH, MATCHED_PATH_AND_QUERY, ROOTED } from "./text-shape.ts";

/**
 * What no request has when a proxy matches it: proxies normalise, redirect and refuse first. Each function says why, and
 * what to write instead; undefined for anything that can match. A test tries every character on real proxies.
 */

/** How much of an example text is shown. */
const SHOWN = 80;

/** Why no request's path is this one, or begins with its segments. */
export function whyPathNeverMatched(path: string): string | undefined {
  if (/%00/.test(path)) return "proxies refuse a path with `%00`";
  const slash = /%(2f|5c)/i.exec(path)?.[0];
  if (slash !== undefined) {
    return `proxies redirect a request with \`${slash}\` to the path with a slash there, \`${normalPath(path)}\``;
  }
  const normal = normalPath(path);
  if (normal !== path) return `proxies make \`${normal}\` of it before they match: write that`;
  const upper = path.replaceAll(/%[0-9a-f]{2}/gi, (text) => text.toUpperCase());
  if (upper !== path) {
    return `write escapes in upper case, \`${upper}\`, as clients do: proxies take another case for another path, and a regex matches both`;
  }
  return undefined;
}

/** Why a regular expression matches no whole path; undefined for anything that is not an expression. */
export function whyRegexNeverMatched(regex: string): string | undefined {
  const program = programOf(regex);
  if (program === undefined || textInBoth(program, MATCHED_PATH) !== undefined) return undefined;
  const text = textInBoth(program, ROOTED);
  if (text === undefined) return "a path begins with a slash, and the whole path is matched";
  const why = whyPathNeverMatched(text) ?? "no path has all of its characters when it is matched";
  return `it asks for a text such as \`${printableStart(text, SHOWN)}\`: ${why}`;
}

/** Why a regular expression matches no whole value of this header; undefined for anything that is not an expression. */
function whyValueRegexNeverMatched(name: string, regex: string): string | undefined {
  const program = programOf(regex);
  if (program === undefined) return undefined;
  if (name === ":path" && textInBoth(program, MATCHED_PATH_AND_QUERY) === undefined) {
    return "no path with its query is so: proxies normalise it first";
  }
  if (textInBoth(program, HEADER_VALUE) !== undefined) return undefined;
  return "no value of a header is so: it has no control characters, and no blanks around it";
}

/** Headers that proxies remove, or answer, before they match. */
const TAKEN_AWAY = `
  expect keep-alive proxy-connection transfer-encoding x-forwarded-client-cert
  x-envoy-decorator-operation x-envoy-downstream-service-cluster x-envoy-downstream-service-node
  x-envoy-expected-rq-timeout-ms x-envoy-force-trace x-envoy-hedge-on-per-try-timeout x-envoy-internal x-envoy-ip-tags
  x-envoy-max-retries x-envoy-original-host x-envoy-original-path x-envoy-original-url x-envoy-retriable-header-names
  x-envoy-retriable-status-codes x-envoy-retry-grpc-on x-envoy-retry-on x-envoy-upstream-alt-stat-name
  x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-alt-response x-envoy-upstream-rq-timeout-ms
`
  .trim()
  .split(/\s+/);

/** Why no request has a header of this name when it is matched. */
export function whyHeaderNeverMatched(name: string): string | undefined {
  if (name.includes("_")) return "proxies answer 400 to a request with an underscore in the name of a header";
  if (TAKEN_AWAY.includes(name)) return "proxies take it out of a request before they match";
  return undefined;
}

/** Why no request meets this header match, though it may well have a header of that name. */
export function whyValueNeverMatched({ name, kind, value }: HeaderMatch): string | undefined {
  if (kind === "present") return undefined;
  if (kind === "regex") return whyValueRegexNeverMatched(name, value);
  if (CONTROL_CHARACTER.test(value)) return "proxies refuse control characters in headers";
  const [front, back] = [kind !== "contains" && kind !== "suffix", kind !== "contains" && kind !== "prefix"];
  if ((front && /^[ \t]/.test(value)) || (back && /[ \t]$/.test(value)))
    return "blanks around a value do not belong to it";
  if (kind !== "exact") return undefined;
  if (name === ":method") return whyMethodNeverMatched(value);
  return name === ":path" ? whyPathNeverMatched(/^[^?]*/.exec(value)?.[0] ?? "") : undefined;
}

/** Why no request with this method is matched. */
export function whyMethodNeverMatched(method: string): string | undefined {
  return method === "CONNECT" ? "proxies make no tunnels, and answer 404 or 400 to CONNECT" : undefined;
}

type Matched = Pick<Rule, "path" | "headers" | "methods">;

/** Findings about rules, which do not change and may be asked about at each revision of the state. */
export type JudgedRules = WeakMap<Matched, readonly string[]>;

/** Why no request meets a rule, for each part of it that none can meet. */
export function whyRuleNeverMatches(rule: Matched, judged: JudgedRules = new WeakMap()): readonly string[] {
  const known = judged.get(rule) ?? judge(rule);
  judged.set(rule, known);
  return known;
}

function judge({ path, headers, methods }: Matched): string[] {
  const whyPath = path.kind === "regex" ? whyRegexNeverMatched(path.regex) : whyPathNeverMatched(path.path);
  const asked = headers.filter(({ invert }) => !invert);
  const ofHeaders = asked.map((match) => whyHeaderNeverMatched(match.name) ?? whyValueNeverMatched(match));
  const ofMethods = methods.map(whyMethodNeverMatched);
  return [whyPath, ...ofHeaders, ...(ofMethods.includes(undefined) ? [] : ofMethods)].filter(
    (why) => why !== undefined,
  );
}
