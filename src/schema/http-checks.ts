import ipaddr from "ipaddr.js";
import { whyHeaderNeverMatched, whyPathNeverMatched } from "../domain/never-matched.ts";
import { printable } from "../domain/printable.ts";
import type { Report } from "./field-checks.ts";

/** RFC 9110, "Tokens". */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
export const PSEUDO_HEADERS: readonly string[] = [":authority", ":method", ":path", ":scheme"];
export const HOST_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Printable ASCII without a space, `?` or `#`. */
export const PATH_CHARACTERS = /^[\x21\x22\x24-\x3e\x40-\x7e]*$/;
/** Without doubled slashes and dot segments. */
export const NORMAL_PATH = /^(?!.*(?:\/\/|\/\.{1,2}(?:\/|$)))/;

/** A path without a query, doubled slashes or dot segments. */
export function checkPath(report: Report, field: string, path: string): string {
  const problem = pathProblem(path);
  if (problem !== undefined) report(field, problem);
  return path;
}

function pathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) return `must begin with a slash, not "${path}"`;
  if (!PATH_CHARACTERS.test(path)) {
    return "must have only printable ASCII characters, and no space, `?` or `#`; encode others with `%`";
  }
  if (NORMAL_PATH.test(path)) return undefined;
  return "must not have `//`, `/./` or `/../`: proxies normalise paths before they match them";
}

/** As `checkPath`, for a path that requests must have. */
export function checkMatchedPath(report: Report, field: string, path: string): string {
  if (pathProblem(path) === undefined) reportNever(report, field, path, () => whyPathNeverMatched(path));
  return checkPath(report, field, path);
}

/** The name of a header that requests must have; lower case is the canonical spelling. */
export function checkMatchedHeader(report: Report, field: string, text: string): string {
  const name = text.toLowerCase();
  if (!PSEUDO_HEADERS.includes(name) && !TOKEN.test(name)) {
    report(field, `must be the name of a header, or one of ${PSEUDO_HEADERS.join(", ")}, not "${text}"`);
  }
  reportNever(report, field, name, () => whyHeaderNeverMatched(name));
  return name;
}

/** Reports what no request has when it is matched, on writes only; what is stored is read as it is. */
export function reportNever(report: Report, field: string, text: string, find: () => string | undefined): void {
  report.whenWritten(field, () => {
    const why = find();
    return why && `must be something that can match, not "${printable(text)}": ${why}`;
  });
}

/** A host pattern in its canonical spelling: `shop.example`, `*.shop.example`, `*`. */
export function checkHostPattern(report: Report, field: string, text: string): string {
  const pattern = text.toLowerCase();
  if (pattern === "*") return pattern;
  return checkHost(report, field, pattern, pattern.startsWith("*.") ? pattern.slice(2) : pattern);
}

export function checkHost(report: Report, field: string, text: string, host: string = text): string {
  if (host.includes("*")) {
    report(field, `must have \`*\` only for whole labels in front, as in \`*.shop.example\`, not "${text}"`);
  } else if (/^\[.*\]$/.test(host)) {
    if (!ipaddr.IPv6.isValid(host.slice(1, -1)))
      report(field, `must have an IPv6 literal in its brackets, not "${text}"`);
  } else if (/:\d*$/.test(host)) {
    report(field, `must have no port, not "${text}": hosts match with any port and without`);
  } else if (!host.split(".").every((label) => HOST_LABEL.test(label))) {
    report(field, `must be a host name such as \`shop.example\` or \`*.shop.example\`, not "${text}"`);
  }
  return text;
}
