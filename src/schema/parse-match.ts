import { MAX_HEADER_MATCHES, MAX_HEADER_VALUE_LENGTH, MAX_METHODS } from "../domain/limits.ts";
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
export function parseMatch(
  message: Match | undefined,
  field: string,
  report: Report,
): Pick<Rule, "path" | "headers" | "methods"> {
  const headers = message?.headers ?? [];
  const methods = message?.methods ?? [];
  checkCount(report, `${field}.headers`, headers.length, { max: MAX_HEADER_MATCHES });
  checkCount(report, `${field}.methods`, methods.length, { max: MAX_METHODS });
  for (const [i, method] of methods.entries()) {
    if (!/^[A-Z]+(-[A-Z]+)*$/.test(method) || method.length > 32) {
      report(`${field}.methods[${i}]`, `"${method}" is not a method such as GET or POST, in upper case`);
    }
    reportNever(report, `${field}.methods[${i}]`, method, () => whyMethodNeverMatched(method));
    if (methods.indexOf(method) !== i) report(`${field}.methods[${i}]`, `${method} is given twice`);
  }
  return {
    path: parsePath(message?.path, `${field}.path`, report),
    headers: headers.map((header, i) => parseHeader(header, `${field}.headers[${i}]`, report)),
    methods,
  };
}

function parsePath(message: PathMatchMessage | undefined, field: string, report: Report): PathMatch {
  const kind = message?.kind;
  switch (kind?.case) {
    case "exact":
      return { kind: "exact", path: checkMatchedPath(report, `${field}.exact`, kind.value) };
    case "prefix":
      // Whole segments are matched, so a slash at the end means nothing.
      kind.value = checkMatchedPath(report, `${field}.prefix`, kind.value).replace(/(.)\/$/, "$1");
      return { kind: "prefix", path: kind.value };
    case "regex":
      return { kind: "regex", regex: checkRegex(report, `${field}.regex`, kind.value, whyRegexNeverMatched) };
    case undefined:
      if (message !== undefined) report(field, "must have one of `exact`, `prefix`, `regex`");
      return { kind: "prefix", path: "/" };
  }
}

function parseHeader(message: HeaderMatchMessage, field: string, report: Report): HeaderMatch {
  const { kind, invert } = message;
  message.name = checkMatchedHeader(report, `${field}.name`, message.name);
  switch (kind.case) {
    case "present":
      return { name: message.name, kind: "present", value: "", invert: invert === kind.value };
    case "regex": {
      const match = { name: message.name, kind: "regex", value: kind.value, invert } as const;
      checkRegex(report, `${field}.regex`, kind.value, () => whyValueNeverMatched(match));
      return match;
    }
    case "exact":
    case "prefix":
    case "suffix":
    case "contains":
      if (kind.value === "" && kind.case !== "exact") report(`${field}.${kind.case}`, "must not be empty");
      checkLength(report, `${field}.${kind.case}`, kind.value, MAX_HEADER_VALUE_LENGTH);
      return valueMatch({ name: message.name, kind: kind.case, value: kind.value, invert }, field, report);
    case undefined:
      report(field, "must have one of `exact`, `prefix`, `suffix`, `contains`, `regex`, `present`");
      return { name: message.name, kind: "present", value: "", invert };
  }
}

function valueMatch(match: HeaderMatch, field: string, report: Report): HeaderMatch {
  reportNever(report, `${field}.${match.kind}`, match.value, () => whyValueNeverMatched(match));
  return match;
}
