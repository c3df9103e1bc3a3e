import { MAX_HEADER_VALUE_LENGTH, ROUTE_LIMITS } from "../domain/limits.ts";
import { whyMethodNeverMatched, whyRegexNeverMatched, whyValueNeverMatched } from "../domain/never-matched.ts";
import type { HeaderMatch, PathMatch, Rule } from "../domain/route.ts";
import {
  type HeaderMatch as HeaderMatchMessage,
  HeaderMatchSchema,
  type Match,
  MatchSchema,
  type PathMatch as PathMatchMessage,
  PathMatchSchema,
} from "../gen/fairlead/admin/v1/route_pb.ts";
import { factsOf, type TextForm } from "./facts.ts";
import type { Report } from "./field-checks.ts";
import { reportNever } from "./http-checks.ts";
import { checkRegex } from "./regex-check.ts";
import { HEADER_VALUE, MATCHED_HEADER, MATCHED_PATH, MATCHED_PREFIX, REGEX } from "./text-forms.ts";

const METHOD_WORD = /^[A-Z]+(?:-[A-Z]+)*$/;
const METHOD: TextForm = {
  patterns: [METHOD_WORD],
  maxLength: ROUTE_LIMITS.methodLength,
  read: (report, field, method) => {
    if (!METHOD_WORD.test(method))
      report(field, `must be a method such as GET or POST, in upper case, not "${method}"`);
    reportNever(report, field, method, () => whyMethodNeverMatched(method));
    return method;
  },
};

export const MATCH_FACTS = [
  factsOf(MatchSchema, {
    headers: { count: ROUTE_LIMITS.headers },
    methods: { count: ROUTE_LIMITS.methods, text: METHOD, isUnique: true },
  }),
  factsOf(
    PathMatchSchema,
    { exact: { text: MATCHED_PATH }, prefix: { text: MATCHED_PREFIX }, regex: { text: REGEX } },
    { fields: ["exact", "prefix", "regex"] },
  ),
  factsOf(
    HeaderMatchSchema,
    {
      name: { required: true, text: MATCHED_HEADER },
      exact: { text: { maxLength: MAX_HEADER_VALUE_LENGTH } },
      prefix: { text: HEADER_VALUE },
      suffix: { text: HEADER_VALUE },
      contains: { text: HEADER_VALUE },
      regex: { text: REGEX },
    },
    { fields: ["exact", "prefix", "suffix", "contains", "regex", "present"] },
  ),
];

/** What a rule matches; without a path, every path. */
export function parseMatch(message: Match | undefined, report: Report): Pick<Rule, "path" | "headers" | "methods"> {
  const { path, headers = [], methods = [] } = message ?? {};
  return {
    path: parsePath(path, report.at("path")),
    headers: headers.map((header, i) => parseHeader(header, report.at(`headers[${i}]`))),
    methods,
  };
}

function parsePath(message: PathMatchMessage | undefined, report: Report): PathMatch {
  const kind = message?.kind;
  if (kind?.case === undefined) return { kind: "prefix", path: "/" };
  if (kind.case !== "regex") return { kind: kind.case, path: kind.value };
  checkRegex(report, "regex", kind.value, whyRegexNeverMatched);
  return { kind: "regex", regex: kind.value };
}

function parseHeader({ name, kind, invert }: HeaderMatchMessage, report: Report): HeaderMatch {
  if (kind.case === undefined) return { name, kind: "present", value: "", invert };
  if (kind.case === "present") return { name, kind: "present", value: "", invert: invert === kind.value };
  const match: HeaderMatch = { name, kind: kind.case, value: kind.value, invert };
  const whyNever = () => whyValueNeverMatched(match);
  if (kind.case === "regex") checkRegex(report, "regex", kind.value, whyNever);
  else reportNever(report, kind.case, kind.value, whyNever);
  return match;
}
