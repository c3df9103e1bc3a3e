/** A range of HTTP statuses that count as a good answer. Both ends are included. */
export interface StatusRange {
  readonly first: number;
  readonly last: number;
}

export interface TlsCheck {
  /** Sent as SNI, and what the certificate must be for; empty sends none. */
  readonly serverName: string;
  /** Whether the certificate must be trusted and match. */
  readonly verify: boolean;
  /** PEM; empty: the system's are trusted. */
  readonly trustedCertificates: string;
}

export type Probe =
  | {
      readonly kind: "http";
      readonly method: string;
      readonly path: string;
      /** The Host header; empty: the target. */
      readonly host: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly expectedStatuses: readonly StatusRange[];
      /** A regular expression (RE2) that the beginning of the body must match; empty: the body is not looked at. */
      readonly expectedBody: string;
      /** Absent: plain text. */
      readonly tls: TlsCheck | undefined;
    }
  | {
      readonly kind: "tcp";
      /** Empty: nothing is sent. */
      readonly send: Uint8Array;
      /** Must occur in what the target sends; empty: an open connection is enough. */
      readonly expect: Uint8Array;
    }
  | {
      readonly kind: "grpc";
      /** Asked for in `grpc.health.v1.Health/Check`; empty: the server as a whole. */
      readonly service: string;
      readonly authority: string;
      readonly tls: TlsCheck | undefined;
    };

/** How the backends of a service are checked. */
export interface HealthCheck {
  readonly probe: Probe;
  /** From the start of one check to the start of the next. */
  readonly intervalMs: number;
  /** The share by which an interval may be shorter, drawn anew each time; never longer. 0 to 0.5. */
  readonly jitterRatio: number;
  readonly timeoutMs: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  /** The interval while a verdict is about to change. At most `intervalMs`. */
  readonly changingIntervalMs: number;
  /** What a new backend counts as until its first verdict. */
  readonly initial: "PENDING" | "HEALTHY";
  /** When the check was added, where the service existed without one before. */
  readonly addedAt: number | undefined;
}

/** What a check gets by default. */
export const DEFAULT_HEALTH_CHECK = {
  unhealthyThreshold: 3,
  healthyThreshold: 2,
  initial: "PENDING",
} as const satisfies Partial<HealthCheck>;

/** The minimum, maximum and default of each time of a check; none is longer than the interval. */
export const HEALTH_CHECK_TIMES = {
  interval: { minMs: 100, maxMs: 3_600_000, otherwiseMs: 5000 },
  timeout: { minMs: 10, maxMs: 60_000, otherwiseMs: 1000 },
  changingInterval: { minMs: 100, maxMs: 3_600_000, otherwiseMs: 1000 },
} as const;

export const DEFAULT_HTTP_PROBE = {
  method: "GET",
  path: "/",
  expectedStatuses: [{ first: 200, last: 299 }],
} as const satisfies Partial<Probe>;

/** What a backend counts as until its first verdict. One that served before there was a check goes on serving. */
export function initialStatus({ initial, addedAt }: HealthCheck, createdAt: number): HealthCheck["initial"] {
  return addedAt !== undefined && createdAt < addedAt ? "HEALTHY" : initial;
}

/** The authority of a check as it is used: a host with or without a port. Null where it is not one. */
export function authorityUrl(scheme: "http" | "https", authority: string): URL | null {
  return URL.parse(`${scheme}://${authority}`);
}

/** How many bytes of a body, or of what a TCP target sends, are looked at. */
export const MAX_CHECKED_BYTES = 16_384;
