import { hidingKey } from "../domain/hash-keys.ts";
import {
  MAX_CHOICE_COUNT,
  MAX_CIRCUIT_BREAKER,
  MAX_CONSECUTIVE_5XX,
  MAX_COOKIE_TTL_MS,
  MAX_EJECTION_TIME_MS,
  MAX_HASH_KEYS,
  MAX_HEADER_NAME_LENGTH,
  MAX_MAGLEV_TABLE_SIZE,
  MAX_OUTLIER_INTERVAL_MS,
  MAX_PANIC_THRESHOLD,
  MAX_PATH_LENGTH,
  MAX_RING_SIZE,
  MIN_CHOICE_COUNT,
  MIN_EJECTION_TIME_MS,
  MIN_OUTLIER_INTERVAL_MS,
} from "../domain/limits.ts";
import {
  type Algorithm,
  type CircuitBreakers,
  DEFAULT_OUTLIER_DETECTION,
  DEFAULT_POLICY,
  type HashKey,
  type Policy,
  type SingleHashKey,
} from "../domain/policy.ts";
import {
  type HashKey as HashKeyMessage,
  type OutlierDetection as OutlierDetectionMessage,
  Policy_Algorithm,
  type Policy as PolicyMessage,
} from "../gen/fairlead/admin/v1/policy_pb.ts";
import {
  checkCount,
  checkDuration,
  checkEnum,
  checkLength,
  checkRange,
  checkRangeOr,
  parseIdentity,
  type Report,
} from "./field-checks.ts";
import { checkMatchedHeader, checkPath, reportNever, TOKEN } from "./http-checks.ts";
import { parseDamping } from "./parse-damping.ts";

const ALGORITHMS: Readonly<Record<number, Algorithm>> = {
  [Policy_Algorithm.ROUND_ROBIN]: "ROUND_ROBIN",
  [Policy_Algorithm.LEAST_REQUEST]: "LEAST_REQUEST",
  [Policy_Algorithm.RING_HASH]: "RING_HASH",
  [Policy_Algorithm.MAGLEV]: "MAGLEV",
  [Policy_Algorithm.RANDOM]: "RANDOM",
};

export function parsePolicy(message: PolicyMessage, report: Report): Policy {
  const identity = parseIdentity(report, "policy", message);
  const algorithm = checkEnum(report, "algorithm", message.algorithm, {
    values: ALGORITHMS,
    otherwise: DEFAULT_POLICY.algorithm,
  });
  if ((algorithm === "RING_HASH" || algorithm === "MAGLEV") && message.hashOn.length === 0) {
    report("hashOn", `must say what ${algorithm} hashes, for example \`[{ sourceIp: true }]\``);
  }
  return {
    ...identity,
    algorithm,
    panicThreshold: checkRange(report, "panicThreshold", message.panicThreshold, { min: 0, max: MAX_PANIC_THRESHOLD }),
    hashOn: parseHashKeys(message, report),
    choiceCount: checkRangeOr(report, "leastRequest.choiceCount", message.leastRequest?.choiceCount, {
      min: MIN_CHOICE_COUNT,
      max: MAX_CHOICE_COUNT,
      otherwise: DEFAULT_POLICY.choiceCount,
    }),
    ringSize: parseRingSize(message, report),
    maglevTableSize: parseTableSize(message, report),
    circuitBreakers: parseCircuitBreakers(message, report),
    outlierDetection: parseOutlierDetection(message.outlierDetection, report),
    damping: parseDamping(message.damping, report),
  };
}

function parseHashKeys({ hashOn }: PolicyMessage, report: Report): readonly HashKey[] {
  checkCount(report, "hashOn", hashOn.flatMap((key) => [key, ...key.all.slice(1)]).length, { max: MAX_HASH_KEYS });
  const keys = hashOn.map((key, i) => parseHashKey(key, `hashOn[${i}]`, report));
  const hiding = hidingKey(keys);
  if (hiding !== undefined) {
    const place = `hashOn[${hiding.index}]`;
    const cure = "put that one last, or hash both together: `{ all: […, …] }`";
    report.whenWritten(`hashOn[${hiding.index + 1}]`, () => `never counts behind ${place}: ${hiding.why}; ${cure}`);
  }
  return keys;
}

function parseHashKey(message: HashKeyMessage, field: string, report: Report): HashKey {
  if (message.all.length === 0) return parseSingleKey(message, field, report);
  if (message.all.length === 1) report(`${field}.all`, "must have at least 2 keys");
  if (message.key.case !== undefined) report(`${field}.all`, `must not be given together with \`${message.key.case}\``);
  return {
    kind: "all",
    keys: message.all.map((one, i) => {
      const place = `${field}.all[${i}]`;
      if (one.all.length === 0) return parseSingleKey(one, place, report);
      report(`${place}.all`, "must not be inside of another one");
      return { kind: "sourceIp" };
    }),
  };
}

function parseSingleKey({ key }: HashKeyMessage, field: string, report: Report): SingleHashKey {
  switch (key.case) {
    case "header":
      key.value = checkMatchedHeader(report, `${field}.header`, key.value);
      return { kind: "header", name: key.value };
    case "cookie": {
      const { name, ttl, path } = key.value;
      if (!TOKEN.test(name)) report(`${field}.cookie.name`, `"${name}" is not the name of a cookie`);
      checkLength(report, `${field}.cookie.name`, name, MAX_HEADER_NAME_LENGTH);
      if (path !== "") checkPath(report, `${field}.cookie.path`, path);
      const limits = { minMs: 0, maxMs: MAX_COOKIE_TTL_MS, otherwiseMs: 0 };
      const ttlMs = checkDuration(report, `${field}.cookie.ttl`, ttl, limits);
      return { kind: "cookie", name, ttlMs: ttl === undefined ? undefined : ttlMs, path };
    }
    case "sourceIp":
      if (!key.value) report(`${field}.sourceIp`, "must be true where it is given");
      return { kind: "sourceIp" };
    case "queryParameter":
      if (key.value === "") report(`${field}.queryParameter`, "must not be empty");
      if (/[\s&=#?]/.test(key.value)) {
        const why = "a name is looked for as it stands in the URL, escaped";
        reportNever(report, `${field}.queryParameter`, key.value, () => why);
      }
      checkLength(report, `${field}.queryParameter`, key.value, MAX_PATH_LENGTH);
      return { kind: "queryParameter", name: key.value };
    case undefined:
      report(field, "must have one of `header`, `cookie`, `sourceIp`, `queryParameter`, `all`");
      return { kind: "sourceIp" };
  }
}

function parseRingSize({ ringHash }: PolicyMessage, report: Report): Policy["ringSize"] {
  const size = (field: "minimumRingSize" | "maximumRingSize", otherwise: number) => {
    const given = ringHash?.[field];
    const value = given === undefined ? undefined : Number(given);
    return checkRangeOr(report, `ringHash.${field}`, value, { min: 1, max: MAX_RING_SIZE, otherwise });
  };
  const minimum = size("minimumRingSize", DEFAULT_POLICY.ringSize.minimum);
  const maximum = size("maximumRingSize", DEFAULT_POLICY.ringSize.maximum);
  if (minimum > maximum) {
    report("ringHash.maximumRingSize", `must be at least minimumRingSize, ${minimum}, not ${maximum}`);
  }
  return { minimum, maximum };
}

function parseTableSize({ maglev }: PolicyMessage, report: Report): number {
  if (maglev?.tableSize === undefined) return DEFAULT_POLICY.maglevTableSize;
  const size = Number(maglev.tableSize);
  if (size > MAX_MAGLEV_TABLE_SIZE || !isPrime(size)) {
    report("maglev.tableSize", `must be a prime up to ${MAX_MAGLEV_TABLE_SIZE}, for example 65537, not ${size}`);
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
    checkRangeOr(report, `circuitBreakers.${field}`, circuitBreakers?.[field], {
      min: 1,
      max: MAX_CIRCUIT_BREAKER,
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
): Policy["outlierDetection"] {
  const detection = {
    consecutive5xx: checkRangeOr(report, "outlierDetection.consecutive5xx", message?.consecutive5xx, {
      min: 1,
      max: MAX_CONSECUTIVE_5XX,
      otherwise: DEFAULT_OUTLIER_DETECTION.consecutive5xx,
      cure: "`outlierDetection: { disabled: true }` ejects nothing",
    }),
    intervalMs: checkDuration(report, "outlierDetection.interval", message?.interval, {
      minMs: MIN_OUTLIER_INTERVAL_MS,
      maxMs: MAX_OUTLIER_INTERVAL_MS,
      otherwiseMs: DEFAULT_OUTLIER_DETECTION.intervalMs,
    }),
    baseEjectionTimeMs: checkDuration(report, "outlierDetection.baseEjectionTime", message?.baseEjectionTime, {
      minMs: MIN_EJECTION_TIME_MS,
      maxMs: MAX_EJECTION_TIME_MS,
      otherwiseMs: DEFAULT_OUTLIER_DETECTION.baseEjectionTimeMs,
    }),
    maxEjectionPercent: checkRangeOr(report, "outlierDetection.maxEjectionPercent", message?.maxEjectionPercent, {
      min: 1,
      max: 100,
      otherwise: undefined,
      cure: "`outlierDetection: { disabled: true }` ejects nothing",
    }),
  };
  return message?.disabled === true ? undefined : detection;
}
