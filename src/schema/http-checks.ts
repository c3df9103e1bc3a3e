import ipaddr from "ipaddr.js";
import { MAX_HEADER_NAME_LENGTH, MAX_HOST_LENGTH, MAX_PATH_LENGTH } from "../domain/limits.ts";
import { whyHeaderNeverMatched, whyPathNeverMatched } from "../domain/never-matched.ts";
import { printable } from "../domain/printable.ts";
import { checkLength, type Report } from "./field-checks.ts";

/** RFC 9110, "Tokens". */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PSEUDO_HEADERS: readonly string[] = [":authority", ":method", ":path", ":scheme"];
const HOST_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Header names are case-insensitive; lower case is the canonical spelling. */
export function checkHeaderName(report: Report, field: string, text: string): string {
  const name = text.toLowerCase();
  if (!PSEUDO_HEADERS.includes(name) && !TOKEN.test(name)) {
    report(
      field,
      `"${text}" is not the name of a header; of those with a colon there are ${PSEUDO_HEADERS.join(", ")}`,
    );
  }
  return checkLength(report, field, name, MAX_HEADER_NAME_LENGTH);
}

/** A path without a query, doubled slashes or dot segments. */
export function checkPath(report: Report, field: string, path: string): string {
  checkLength(report, field, path, MAX_PATH_LENGTH);
  const problem = pathProblem(path);
  if (problem !== undefined) report(field, problem);
  return path;
}

function pathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) return `must begin with a slash, not "${path}"`;
  if (!/^[\x21-\x7e]+$/.test(path) || /[?#]/.test(path)) {
    return "must have printable ASCII characters only, no space, `?` or `#`; encode others with `%`";
  }
  if (!/\/\/|\/\.{1,2}(\/|$)/.test(path)) return undefined;
  return "must not have `//`, `/./` or `/../`: proxies normalise paths before they match them";
}

/** As `checkPath`, for a path that requests must have. */
export function checkMatchedPath(report: Report, field: string, path: string): string {
  if (pathProblem(path) === undefined) reportNever(report, field, path, () => whyPathNeverMatched(path));
  return checkPath(report, field, path);
}

/** As `checkHeaderName`, for a header that requests must have. */
export function checkMatchedHeader(report: Report, field: string, text: string): string {
  const name = checkHeaderName(report, field, text);
  reportNever(report, field, name, () => whyHeaderNeverMatched(name));
  return name;
}

/** Reports what no request has when it is matched, on writes only; what is stored is read as it is. */
export function reportNever(report: Report, field: string, text: string, find: () => string | undefined): void {
  report.whenWritten(field, () => {
    const why = find();
    return why === undefined ? undefined : `"${printable(text)}" can never match: ${why}`;
  });
}

/** A host pattern in its canonical spelling: `shop.example`, `*.shop.example`, `*`. */
export function checkHostPattern(report: Report, field: string, text: string): string {
  const pattern = text.toLowerCase();
  if (pattern === "*") return pattern;
  return checkHost(report, field, pattern, pattern.startsWith("*.") ? pattern.slice(2) : pattern);
}

export function checkHost(report: Report, field: string, text: string, host: string = text): string {
  checkLength(report, field, text, MAX_HOST_LENGTH);
  if (host.includes("*"))
    report(field, `"${text}": \`*\` can only stand for whole labels in front, as in \`*.shop.example\``);
  else if (/^\[.*\]$/.test(host)) {
    if (!ipaddr.IPv6.isValid(host.slice(1, -1))) report(field, `"${text}" is not an IPv6 literal`);
  } else if (/:\d*$/.test(host)) {
    report(field, `"${text}" must have no port: hosts match with any port and without`);
  } else if (!host.split(".").every((label) => HOST_LABEL.test(label))) {
    report(field, `"${text}" is not a host name such as \`shop.example\` or \`*.shop.example\``);
  }
  return text;
}
