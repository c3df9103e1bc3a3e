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
  CircuitBreakersSchema,
  HashKey_CookieSchema,
  type HashKey as HashKeyMessage,
  HashKeySchema,
  LeastRequestSchema,
  MaglevSchema,
  type OutlierDetection as OutlierDetectionMessage,
  OutlierDetectionSchema,
  Policy_Algorithm,
  type Policy as PolicyMessage,
  PolicySchema,
  RingHashSchema,
} from "../../gen/fairlead/admin/v1/policy_pb.ts";
import { factsOf, type TextForm } from "../facts.ts";
import { checkCount, checkEnum, parseIdentity, type Report, readDuration } from "../field-checks.ts";
import { reportNever, TOKEN } from "../http-checks.ts";
import { identityFacts } from "../identity-facts.ts";
import { DAMPING_FACTS, parseDamping } from "../parse-damping.ts";
import { MATCHED_HEADER, PATH } from "../text-forms.ts";
import type { KindEntry } from "./kind-entry.ts";

const COOKIE_NAME: TextForm = {
  patterns: [TOKEN],
  maxLength: MAX_HEADER_NAME_LENGTH,
  read: (report, field, name) => {
    if (!TOKEN.test(name)) report(field, `must be the name of a cookie, not "${name}"`);
    return name;
  },
};

const QUERY_PARAMETER: TextForm = {
  isNeverEmpty: true,
  maxLength: MAX_PATH_LENGTH,
  read: (report, field, name) => {
    if (/[\s&=#?]/.test(name))
      reportNever(report, field, name, () => "a name is looked for as it stands in the URL, escaped");
    return name;
  },
};

const { circuitBreakers: BREAKERS, ringSize: RING_SIZE } = DEFAULT_POLICY;
const EJECT_NOTHING = "`outlierDetection: { disabled: true }` ejects nothing";
const breaker = (otherwise: number) => ({ range: POLICY_LIMITS.circuitBreaker, otherwise });

export const POLICY = {
  message: PolicySchema,
  facts: [
    factsOf(PolicySchema, {
      ...identityFacts("policy"),
      algorithm: { otherwise: DEFAULT_POLICY.algorithm },
      panicThreshold: { range: POLICY_LIMITS.panicThreshold, otherwise: DEFAULT_POLICY.panicThreshold },
      hashOn: { count: POLICY_LIMITS.hashKeys },
    }),
    factsOf(
      HashKeySchema,
      {
        header: { text: MATCHED_HEADER },
        sourceIp: { isOnlyTrue: true },
        queryParameter: { text: QUERY_PARAMETER },
        all: { count: { min: 2 } },
      },
      { fields: ["header", "cookie", "sourceIp", "queryParameter", "all"] },
    ),
    factsOf(HashKey_CookieSchema, {
      name: { required: true, text: COOKIE_NAME },
      ttl: { time: POLICY_LIMITS.cookieTtl },
      path: { text: PATH },
    }),
    factsOf(LeastRequestSchema, {
      choiceCount: { range: POLICY_LIMITS.choiceCount, otherwise: DEFAULT_POLICY.choiceCount },
    }),
    factsOf(RingHashSchema, {
      minimumRingSize: { range: POLICY_LIMITS.ringSize, otherwise: RING_SIZE.minimum },
      maximumRingSize: { range: POLICY_LIMITS.ringSize, otherwise: RING_SIZE.maximum },
    }),
    factsOf(MaglevSchema, {
      tableSize: {
        range: { min: 2, max: POLICY_LIMITS.maxMaglevTableSize },
        otherwise: DEFAULT_POLICY.maglevTableSize,
      },
    }),
    factsOf(CircuitBreakersSchema, {
      maxConnections: breaker(BREAKERS.maxConnections),
      maxPendingRequests: breaker(BREAKERS.maxPendingRequests),
      maxRequests: breaker(BREAKERS.maxRequests),
      maxRetries: breaker(BREAKERS.maxRetries),
    }),
    factsOf(OutlierDetectionSchema, {
      consecutive5xx: {
        range: OUTLIER_LIMITS.consecutive5xx,
        otherwise: DEFAULT_OUTLIER_DETECTION.consecutive5xx,
        cure: EJECT_NOTHING,
      },
      interval: { time: { ...OUTLIER_LIMITS.interval, otherwiseMs: DEFAULT_OUTLIER_DETECTION.intervalMs } },
      baseEjectionTime: {
        time: { ...OUTLIER_LIMITS.baseEjectionTime, otherwiseMs: DEFAULT_OUTLIER_DETECTION.baseEjectionTimeMs },
      },
      maxEjectionPercent: { range: OUTLIER_LIMITS.maxEjectionPercent, cure: EJECT_NOTHING },
    }),
    DAMPING_FACTS,
  ],
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
    ...parseIdentity(message),
    algorithm,
    panicThreshold: message.panicThreshold,
    hashOn: parseHashKeys(message, report),
    choiceCount: message.leastRequest?.choiceCount ?? DEFAULT_POLICY.choiceCount,
    ringSize: parseRingSize(message, report.at("ringHash")),
    maglevTableSize: parseTableSize(message, report),
    circuitBreakers: readCircuitBreakers(message),
    outlierDetection: readOutlierDetection(message.outlierDetection),
    damping: parseDamping(message.damping, report.at("damping")),
  };
}

function parseHashKeys({ hashOn }: PolicyMessage, report: Report): readonly HashKey[] {
  const { hashKeys } = POLICY_LIMITS;
  const count = hashOn.reduce((sum, { all }) => sum + Math.max(1, all.length), 0);
  if (hashOn.length <= hashKeys.max) checkCount(report, "hashOn", count, hashKeys);
  const keys = hashOn.map((key, i) => parseHashKey(key, report.at(`hashOn[${i}]`)));
  const hiding = hidingKey(keys);
  if (hiding !== undefined) {
    const cure = `must come before hashOn[${hiding.index}], or be hashed together with it: \`{ all: […, …] }\``;
    report.whenWritten(`hashOn[${hiding.index + 1}]`, () => `${cure}; behind it, it never counts: ${hiding.why}`);
  }
  return keys;
}

function parseHashKey(message: HashKeyMessage, report: Report): HashKey {
  if (message.all.length === 0) return readSingleKey(message);
  return {
    kind: "all",
    keys: message.all.map((one, i) => {
      if (one.all.length > 0) report(`all[${i}].all`, "must not be inside another `all`");
      return readSingleKey(one);
    }),
  };
}

function readSingleKey({ key }: HashKeyMessage): SingleHashKey {
  switch (key.case) {
    case "header":
      return { kind: "header", name: key.value };
    case "cookie": {
      const { name, ttl, path } = key.value;
      return { kind: "cookie", name, ttlMs: readDuration(ttl, undefined), path };
    }
    case "queryParameter":
      return { kind: "queryParameter", name: key.value };
    case "sourceIp":
    case undefined:
      return { kind: "sourceIp" };
  }
}

function parseRingSize({ ringHash }: PolicyMessage, report: Report): Policy["ringSize"] {
  const minimum = Number(ringHash?.minimumRingSize ?? RING_SIZE.minimum);
  const maximum = Number(ringHash?.maximumRingSize ?? RING_SIZE.maximum);
  if (minimum > maximum) report("maximumRingSize", `must be at least minimumRingSize, ${minimum}, not ${maximum}`);
  return { minimum, maximum };
}

function parseTableSize({ maglev }: PolicyMessage, report: Report): number {
  const size = Number(maglev?.tableSize ?? DEFAULT_POLICY.maglevTableSize);
  if (size > 1 && size <= POLICY_LIMITS.maxMaglevTableSize && !isPrime(size)) {
    report("maglev.tableSize", `must be a prime number, for example 65537, not ${size}`);
  }
  return size;
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}

function readCircuitBreakers({ circuitBreakers: given }: PolicyMessage): CircuitBreakers {
  return {
    maxConnections: given?.maxConnections ?? BREAKERS.maxConnections,
    maxPendingRequests: given?.maxPendingRequests ?? BREAKERS.maxPendingRequests,
    maxRequests: given?.maxRequests ?? BREAKERS.maxRequests,
    maxRetries: given?.maxRetries ?? BREAKERS.maxRetries,
  };
}

function readOutlierDetection(message: OutlierDetectionMessage | undefined): OutlierDetection | undefined {
  if (message?.disabled === true) return undefined;
  const { consecutive5xx, intervalMs, baseEjectionTimeMs, maxEjectionPercent } = DEFAULT_OUTLIER_DETECTION;
  return {
    consecutive5xx: message?.consecutive5xx ?? consecutive5xx,
    intervalMs: readDuration(message?.interval, intervalMs),
    baseEjectionTimeMs: readDuration(message?.baseEjectionTime, baseEjectionTimeMs),
    maxEjectionPercent: message?.maxEjectionPercent ?? maxEjectionPercent,
  };
}
