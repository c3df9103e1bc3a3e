import { hidingKey } from "../../domain/hash-keys.ts";
import { MAX_HEADER_NAME_LENGTH, MAX_PATH_LENGTH, OUTLIER_LIMITS, POLICY_LIMITS } from "../../domain/limits.ts";
import {
  type CircuitBreakers,
  DEFAULT_OUTLIER_DETECTION,
  DEFAULT_POLICY,
  type HashKey,
  type OutlierDetection,
  type Policy,
  type SingleHashKey,
} from "../../domain/policy.ts";
import {
  type HashKey as HashKeyMessage,
  type OutlierDetection as OutlierDetectionMessage,
  Policy_Algorithm,
  type Policy as PolicyMessage,
  PolicySchema,
} from "../../gen/fairlead/admin/v1/policy_pb.ts";
import {
  checkCount,
  checkDuration,
  checkEnum,
  checkLength,
  checkRange,
  checkRangeOr,
  parseIdentity,
  type Report,
} from "../field-checks.ts";
import { checkMatchedHeader, checkPath, reportNever, TOKEN } from "../http-checks.ts";
import { parseDamping } from "../parse-damping.ts";
import type { KindEntry } from "./kind-entry.ts";

export const POLICY = {
  message: PolicySchema,
  outputOnly: ["meta", "conditions"],
  parse: parsePolicy,
  isApplied: true,
  hasHistory: true,
  gives: "clustersOfPolicy",
} as const satisfies KindEntry<"policy", PolicyMessage>;

function parsePolicy(message: PolicyMessage, report: Report): Policy {
  const algorithm = checkEnum(report, "algorithm", message.algorithm, {
    values: Policy_Algorithm,
    otherwise: DEFAULT_POLICY.algorithm,
  });
  if ((algorithm === "RING_HASH" || algorithm === "MAGLEV") && message.hashOn.length === 0) {
    report("hashOn", `must say what ${algorithm} hashes, for example \`[{ sourceIp: true }]\``);
  }
  return {
    ...parseIdentity(report, "policy", message),
    algorithm,
    panicThreshold: checkRange(report, "panicThreshold", message.panicThreshold, POLICY_LIMITS.panicThreshold),
    hashOn: parseHashKeys(message, report),
    choiceCount: checkRangeOr(report, "leastRequest.choiceCount", message.leastRequest?.choiceCount, {
      ...POLICY_LIMITS.choiceCount,
      otherwise: DEFAULT_POLICY.choiceCount,
    }),
    ringSize: parseRingSize(message, report.at("ringHash")),
    maglevTableSize: parseTableSize(message, report),
    circuitBreakers: parseCircuitBreakers(message, report.at("circuitBreakers")),
    outlierDetection: parseOutlierDetection(message.outlierDetection, report.at("outlierDetection")),
    damping: parseDamping(message.damping, report.at("damping")),
  };
}

function parseHashKeys({ hashOn }: PolicyMessage, report: Report): readonly HashKey[] {
  const count = hashOn.reduce((sum, { all }) => sum + Math.max(1, all.length), 0);
  checkCount(report, "hashOn", count, POLICY_LIMITS.hashKeys);
  const keys = hashOn.map((key, i) => parseHashKey(key, report.at(`hashOn[${i}]`)));
  const hiding = hidingKey(keys);
  if (hiding !== undefined) {
    const cure = `must come before hashOn[${hiding.index}], or be hashed together with it: \`{ all: […, …] }\``;
    report.whenWritten(`hashOn[${hiding.index + 1}]`, () => `${cure}; behind it, it never counts: ${hiding.why}`);
  }
  return keys;
}

function parseHashKey(message: HashKeyMessage, report: Report): HashKey {
  if (message.all.length === 0) return parseSingleKey(message, report);
  if (message.all.length === 1) report("all", "must have at least 2 keys, not 1");
  if (message.key.case !== undefined) report("all", `must not be given together with \`${message.key.case}\``);
  return {
    kind: "all",
    keys: message.all.map((one, i) => {
      const place = report.at(`all[${i}]`);
      if (one.all.length === 0) return parseSingleKey(one, place);
      place("all", "must not be inside another `all`");
      return { kind: "sourceIp" };
    }),
  };
}

function parseSingleKey({ key }: HashKeyMessage, report: Report): SingleHashKey {
  switch (key.case) {
    case "header":
      key.value = checkMatchedHeader(report, "header", key.value);
      return { kind: "header", name: key.value };
    case "cookie": {
      const { name, ttl, path } = key.value;
      if (!TOKEN.test(name)) report("cookie.name", `must be the name of a cookie, not "${name}"`);
      checkLength(report, "cookie.name", name, MAX_HEADER_NAME_LENGTH);
      if (path !== "") checkPath(report, "cookie.path", path);
      const limits = { ...POLICY_LIMITS.cookieTtl, otherwiseMs: undefined };
      return { kind: "cookie", name, ttlMs: checkDuration(report, "cookie.ttl", ttl, limits), path };
    }
    case "sourceIp":
      if (!key.value) report("sourceIp", "must be true, or left out");
      return { kind: "sourceIp" };
    case "queryParameter":
      if (key.value === "") report("queryParameter", "must not be empty");
      if (/[\s&=#?]/.test(key.value)) {
        const why = "a name is looked for as it stands in the URL, escaped";
        reportNever(report, "queryParameter", key.value, () => why);
      }
      checkLength(report, "queryParameter", key.value, MAX_PATH_LENGTH);
      return { kind: "queryParameter", name: key.value };
    case undefined:
      report("", "must have one of `header`, `cookie`, `sourceIp`, `queryParameter`, `all`");
      return { kind: "sourceIp" };
  }
}

function parseRingSize({ ringHash }: PolicyMessage, report: Report): Policy["ringSize"] {
  const size = (field: "minimumRingSize" | "maximumRingSize", otherwise: number) => {
    const given = ringHash?.[field];
    const value = given === undefined ? undefined : Number(given);
    return checkRangeOr(report, field, value, { ...POLICY_LIMITS.ringSize, otherwise });
  };
  const minimum = size("minimumRingSize", DEFAULT_POLICY.ringSize.minimum);
  const maximum = size("maximumRingSize", DEFAULT_POLICY.ringSize.maximum);
  if (minimum > maximum) report("maximumRingSize", `must be at least minimumRingSize, ${minimum}, not ${maximum}`);
  return { minimum, maximum };
}

function parseTableSize({ maglev }: PolicyMessage, report: Report): number {
  if (maglev?.tableSize === undefined) return DEFAULT_POLICY.maglevTableSize;
  const size = Number(maglev.tableSize);
  if (size > POLICY_LIMITS.maxMaglevTableSize || !isPrime(size)) {
    const wanted = `a prime number up to ${POLICY_LIMITS.maxMaglevTableSize}, for example 65537`;
    report("maglev.tableSize", `must be ${wanted}, not ${size}`);
  }
  return size;
}

function isPrime(number: number): boolean {
  if (number < 2) return false;
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}

function parseCircuitBreakers({ circuitBreakers }: PolicyMessage, report: Report): CircuitBreakers {
  const limit = (field: keyof CircuitBreakers) =>
    checkRangeOr(report, field, circuitBreakers?.[field], {
      ...POLICY_LIMITS.circuitBreaker,
      otherwise: DEFAULT_POLICY.circuitBreakers[field],
    });
  return {
    maxConnections: limit("maxConnections"),
    maxPendingRequests: limit("maxPendingRequests"),
    maxRequests: limit("maxRequests"),
    maxRetries: limit("maxRetries"),
  };
}

function parseOutlierDetection(
  message: OutlierDetectionMessage | undefined,
  report: Report,
): OutlierDetection | undefined {
  const cure = "`outlierDetection: { disabled: true }` ejects nothing";
  const count = <F extends "consecutive5xx" | "maxEjectionPercent">(field: F): OutlierDetection[F] =>
    checkRangeOr(report, field, message?.[field], {
      ...OUTLIER_LIMITS[field],
      otherwise: DEFAULT_OUTLIER_DETECTION[field],
      cure,
    });
  const time = (field: "interval" | "baseEjectionTime") =>
    checkDuration(report, field, message?.[field], {
      ...OUTLIER_LIMITS[field],
      otherwiseMs: DEFAULT_OUTLIER_DETECTION[`${field}Ms`],
    });
  const detection = {
    consecutive5xx: count("consecutive5xx"),
    intervalMs: time("interval"),
    baseEjectionTimeMs: time("baseEjectionTime"),
    maxEjectionPercent: count("maxEjectionPercent"),
  };
  return message?.disabled === true ? undefined : detection;
}
