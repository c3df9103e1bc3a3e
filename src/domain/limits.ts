/**
 * Field limits that `schema/` enforces; those of times that have a default are with their noun. Both ends of a range are
 * allowed. Lengths are in characters unless named bytes.
 */

export const LABELS = { max: 64, keyLength: 63, valueLength: 256 } as const;
export const ANNOTATIONS = { max: 64, keyLength: 63, valueLength: 4096 } as const;
export const BACKEND_METADATA = { max: 64, keyLength: 63, valueLength: 256 } as const;
export const SELECTOR_METADATA = { max: 16, keyLength: 63, valueLength: 256 } as const;

export const PORT = { min: 1, max: 65_535 } as const;
/** For a Unix socket: `sun_path` without its final zero byte. */
export const MAX_PIPE_PATH_BYTES = 107;
export const MAX_HOST_LENGTH = 253;
export const MAX_PATH_LENGTH = 1024;
export const MAX_HEADER_NAME_LENGTH = 128;
export const MAX_HEADER_VALUE_LENGTH = 1024;
export const MAX_REGEX_LENGTH = 1024;
/** In RE2 instructions. Envoy refuses a program above `re2.max_program_size.error_level`, which is 100 by default. */
export const MAX_REGEX_PROGRAM_SIZE = 100;

export const BACKEND_LIMITS = {
  weight: { min: 1, max: 1_000_000 },
  /** Envoy itself accepts 128 priorities, 0 to 127. */
  priority: { min: 0, max: 127 },
  localityPartLength: 63,
} as const;
export const MAX_HEALTH_REASON_LENGTH = 256;
export const MAX_UID_LENGTH = 64;
export const MIN_HEALTH_TTL_MS = 1000;
export const MAX_HEALTH_TTL_MS = 30 * 24 * 3_600_000;

export const CHECK_LIMITS = {
  threshold: { min: 1, max: 100 },
  jitterPercent: { min: 0, max: 50 },
  headers: { max: 16 },
  statusRanges: { max: 16 },
  status: { min: 100, max: 599 },
  tcpBytes: 1024,
  certificatesLength: 65_536,
} as const;

export const POLICY_LIMITS = {
  panicThreshold: { min: 0, max: 100 },
  hashKeys: { max: 8 },
  cookieTtl: { minMs: 0, maxMs: 366 * 24 * 3_600_000 },
  choiceCount: { min: 2, max: 100 },
  /** Envoy's own limit for a hash ring. */
  ringSize: { min: 1, max: 8_388_608 },
  /** Envoy's own limit for a Maglev table. */
  maxMaglevTableSize: 5_000_011,
  circuitBreaker: { min: 1, max: 1_000_000_000 },
} as const;
export const OUTLIER_LIMITS = {
  consecutive5xx: { min: 1, max: 1000 },
  interval: { minMs: 100, maxMs: 300_000 },
  baseEjectionTime: { minMs: 1000, maxMs: 3_600_000 },
  maxEjectionPercent: { min: 1, max: 100 },
} as const;
export const DAMPING_LIMITS = {
  maxPenalty: 100_000,
  minRelease: 100,
  halfLife: { minMs: 1000, maxMs: 3_600_000 },
  maxHoldMs: 24 * 3_600_000,
} as const;

export const ROUTE_LIMITS = {
  listeners: { min: 1, max: 64 },
  hosts: { min: 1, max: 128 },
  rules: { min: 1, max: 256 },
  priority: { min: -1000, max: 1000 },
  headers: { max: 16 },
  methods: { max: 16 },
  methodLength: 32,
  destinations: { min: 1, max: 64 },
  weight: { min: 0, max: 1_000_000 },
  timeout: { minMs: 0, maxMs: 24 * 3_600_000 },
  attempts: { min: 1, max: 10 },
} as const;

export const MAX_CLUSTER_NAME_LENGTH = 256;
export const MAX_BACKEND_NETWORKS = 64;
export const EXPECTED_PROXIES = { min: 0, max: 1_000_000 } as const;
