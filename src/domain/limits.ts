/** Field limits that `schema/` enforces; defaulted ones are with their type. Lengths are in characters unless named bytes. */

export const MAX_LABELS = 64;
export const MAX_LABEL_KEY_LENGTH = 63;
export const MAX_LABEL_VALUE_LENGTH = 256;
export const MAX_ANNOTATIONS = 64;
export const MAX_ANNOTATION_VALUE_LENGTH = 4096;

export const MIN_PORT = 1;
export const MAX_PORT = 65_535;
/** For a Unix socket: `sun_path` without its final zero byte. */
export const MAX_PIPE_PATH_BYTES = 107;

export const MAX_BACKEND_WEIGHT = 1_000_000;
/** Envoy itself accepts 128 priorities, 0 to 127. */
export const MAX_PRIORITY = 127;
export const MAX_LOCALITY_PART_LENGTH = 63;
export const MAX_BACKEND_METADATA = 64;
export const MAX_METADATA_KEY_LENGTH = 63;
export const MAX_METADATA_VALUE_LENGTH = 256;
export const MAX_HEALTH_REASON_LENGTH = 256;
export const MAX_UID_LENGTH = 64;
export const MIN_HEALTH_TTL_MS = 1000;
export const MAX_HEALTH_TTL_MS = 30 * 24 * 3_600_000;

export const MAX_CHECK_THRESHOLD = 100;
export const MAX_CHECK_JITTER_PERCENT = 50;
export const MAX_CHECK_HEADERS = 16;
export const MAX_CHECK_STATUS_RANGES = 16;
export const MAX_TCP_CHECK_BYTES = 1024;
export const MAX_TRUSTED_CERTIFICATES_LENGTH = 65_536;
export const MIN_DAMPING_HALF_LIFE_MS = 1000;
export const MAX_DAMPING_HALF_LIFE_MS = 3_600_000;
export const MAX_DAMPING_PENALTY = 100_000;
export const MIN_DAMPING_RELEASE = 100;
export const MAX_DAMPING_HOLD_MS = 24 * 3_600_000;

export const MAX_PANIC_THRESHOLD = 100;
export const MAX_HASH_KEYS = 8;
export const MAX_COOKIE_TTL_MS = 366 * 24 * 3_600_000;
export const MIN_CHOICE_COUNT = 2;
export const MAX_CHOICE_COUNT = 100;
/** Envoy's own limit for a hash ring. */
export const MAX_RING_SIZE = 8_388_608;
/** Envoy's own limit for a Maglev table. */
export const MAX_MAGLEV_TABLE_SIZE = 5_000_011;
export const MAX_CIRCUIT_BREAKER = 1_000_000_000;
export const MAX_CONSECUTIVE_5XX = 1000;
export const MIN_OUTLIER_INTERVAL_MS = 100;
export const MAX_OUTLIER_INTERVAL_MS = 300_000;
export const MIN_EJECTION_TIME_MS = 1000;
export const MAX_EJECTION_TIME_MS = 3_600_000;

export const MAX_ROUTE_LISTENERS = 64;
export const MAX_ROUTE_HOSTS = 128;
export const MAX_HOST_LENGTH = 253;
export const MAX_RULES = 256;
export const MAX_RULE_PRIORITY = 1000;
export const MAX_DESTINATIONS = 64;
export const MAX_DESTINATION_WEIGHT = 1_000_000;
export const MAX_HEADER_MATCHES = 16;
export const MAX_METHODS = 16;
export const MAX_PATH_LENGTH = 1024;
export const MAX_HEADER_NAME_LENGTH = 128;
export const MAX_HEADER_VALUE_LENGTH = 1024;
export const MAX_REGEX_LENGTH = 1024;
export const MAX_ROUTE_TIMEOUT_MS = 24 * 3_600_000;
export const MAX_RETRY_ATTEMPTS = 10;

export const MAX_SELECTOR_METADATA = 16;
export const MAX_CLUSTER_NAME_LENGTH = 256;
export const MAX_BACKEND_NETWORKS = 64;
/** In RE2 instructions. Envoy refuses a program above `re2.max_program_size.error_level`, which is 100 by default. */
export const MAX_REGEX_PROGRAM_SIZE = 100;
