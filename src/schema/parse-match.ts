import { MAX_HEADER_VALUE_LENGTH, ROUTE_LIMITS } from "../domain/limits.ts";
import { whyMethodNeverMatched, whyRegexNeverMatched, whyValueNeverMatched } from "../domain/never-matched.ts";
import type { HeaderMatch, PathMatch, Rule } from "../domain/route.ts";
import type {
  HeaderMatch as HeaderMatchMessage,
  Match,
  PathMatch as PathMatchMessage,
} from "../gen/fairlead/admin/v1/route_pb.ts";
import { checkCount, checkLength, type Report } from "./field-checks.ts";
import { checkMatchedHeader, checkMatchedPath, reportNever } from "./http-checks.ts";
import { checkRegex } from "./regex-check.ts";

/** What a rule matches; without a path, every path. */
export function parseMatch(message: Match | undefined, report: Report): Pick<Rule, "path" | "headers" | "methods"> {
  const { path, headers = [], methods = [] } = message ?? {};
  checkCount(report, "headers", headers.length, ROUTE_LIMITS.headers);
  checkCount(report, "methods", methods.length, ROUTE_LIMITS.methods);
  for (const [i, method] of methods.entries()) {
    const field = `methods[${i}]`;
    if (!/^[A-Z]+(-[A-Z]+)*$/.test(method) || method.length > ROUTE_LIMITS.methodLength) {
      report(field, `must be a method such as GET or POST, in upper case, not "${method}"`);
    }
    reportNever(report, field, method, () => whyMethodNeverMatched(method));
    if (methods.indexOf(method) !== i) report(field, `must differ from methods[${methods.indexOf(method)}]`);
  }
  return {
    path: parsePath(path, report.at("path")),
    headers: headers.map((header, i) => parseHeader(header, report.at(`headers[${i}]`))),
    methods,
  };
}

function parsePath(message: PathMatchMessage | undefined, report: Report): PathMatch {
  const kind = message?.kind;
  switch (kind?.case) {
    case "exact":
      return { kind: "exact", path: checkMatchedPath(report, "exact", kind.value) };
    case "prefix":
      // Whole segments are matched, so a slash at the end means nothing.
      kind.value = checkMatchedPath(report, "prefix", kind.value).replace(/(.)\/$/, "$1");
      return { kind: "prefix", path: kind.value };
    case "regex":
      return { kind: "regex", regex: checkRegex(report, "regex", kind.value, whyRegexNeverMatched) };
    case undefined:
      if (message !== undefined) report("", "must have one of `exact`, `prefix`, `regex`");
      return { kind: "prefix", path: "/" };
  }
}

function parseHeader(message: HeaderMatchMessage, report: Report): HeaderMatch {
  const { kind, invert } = message;
  message.name = checkMatchedHeader(report, "name", message.name);
  const { name } = message;
  if (kind.case === "present") return { name, kind: "present", value: "", invert: invert === kind.value };
  if (kind.case === undefined) {
    report("", "must have one of `exact`, `prefix`, `suffix`, `contains`, `regex`, `present`");
    return { name, kind: "present", value: "", invert };
  }
  const match: HeaderMatch = { name, kind: kind.case, value: kind.value, invert };
  const whyNever = () => whyValueNeverMatched(match);
  if (kind.case === "regex") {
    checkRegex(report, "regex", kind.value, whyNever);
    return match;
  }
  if (kind.value === "" && kind.case !== "exact") report(kind.case, "must not be empty");
  checkLength(report, kind.case, kind.value, MAX_HEADER_VALUE_LENGTH);
  reportNever(report, kind.case, kind.value, whyNever);
  return match;
}
