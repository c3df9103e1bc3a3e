import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import {
  authorityUrl,
  DEFAULT_HEALTH_CHECK,
  DEFAULT_HTTP_PROBE,
  HEALTH_CHECK_TIMES,
  type HealthCheck,
  type Probe,
  type StatusRange,
  type TlsCheck,
} from "../domain/health-check.ts";
import {
  MAX_CHECK_HEADERS,
  MAX_CHECK_JITTER_PERCENT,
  MAX_CHECK_STATUS_RANGES,
  MAX_CHECK_THRESHOLD,
  MAX_HEADER_NAME_LENGTH,
  MAX_HEADER_VALUE_LENGTH,
  MAX_HOST_LENGTH,
  MAX_PATH_LENGTH,
  MAX_TCP_CHECK_BYTES,
  MAX_TRUSTED_CERTIFICATES_LENGTH,
} from "../domain/limits.ts";
import {
  type CheckTls,
  type GrpcCheck,
  HealthCheck_InitialState,
  type HealthCheck as HealthCheckMessage,
  type HttpCheck,
  type StatusRange as StatusRangeMessage,
  type TcpCheck,
} from "../gen/fairlead/admin/v1/health_check_pb.ts";
import {
  checkCount,
  checkDuration,
  checkEnum,
  checkLength,
  checkRange,
  checkRangeOr,
  type Report,
} from "./field-checks.ts";
import { TOKEN } from "./http-checks.ts";
import { checkRegex } from "./regex-check.ts";

const INITIAL_STATES: Readonly<Record<number, HealthCheck["initial"]>> = {
  [HealthCheck_InitialState.PENDING]: "PENDING",
  [HealthCheck_InitialState.HEALTHY]: "HEALTHY",
};

/** @param addedAt When the check was added to the service. */
export function parseHealthCheck(
  message: HealthCheckMessage,
  addedAt: number | undefined,
  report: Report,
): HealthCheck {
  const { interval, timeout, changingInterval } = HEALTH_CHECK_TIMES;
  const intervalMs = checkDuration(report, "healthCheck.interval", message.interval, interval);
  const timeoutMs = checkDuration(report, "healthCheck.timeout", message.timeout, {
    ...timeout,
    otherwiseMs: Math.min(timeout.otherwiseMs, intervalMs),
  });
  if (timeoutMs > intervalMs) {
    report("healthCheck.interval", `must be at least the timeout, ${timeoutMs} ms, not ${intervalMs} ms`);
  }
  const threshold = (field: "unhealthyThreshold" | "healthyThreshold") => {
    const count = message[field] ?? DEFAULT_HEALTH_CHECK[field];
    return checkRange(report, `healthCheck.${field}`, count, { min: 1, max: MAX_CHECK_THRESHOLD });
  };
  return {
    probe: parseProbe(message.probe, report),
    intervalMs,
    timeoutMs,
    unhealthyThreshold: threshold("unhealthyThreshold"),
    healthyThreshold: threshold("healthyThreshold"),
    jitterRatio:
      checkRange(report, "healthCheck.jitterPercent", message.jitterPercent, {
        min: 0,
        max: MAX_CHECK_JITTER_PERCENT,
      }) / 100,
    changingIntervalMs: checkDuration(report, "healthCheck.changingInterval", message.changingInterval, {
      ...changingInterval,
      maxMs: intervalMs,
      otherwiseMs: Math.min(changingInterval.otherwiseMs, intervalMs),
    }),
    initial: checkEnum(report, "healthCheck.initialState", message.initialState, {
      values: INITIAL_STATES,
      otherwise: DEFAULT_HEALTH_CHECK.initial,
    }),
    addedAt,
  };
}

function parseProbe(probe: HealthCheckMessage["probe"], report: Report): Probe {
  switch (probe.case) {
    case "http":
      return parseHttp(probe.value, report);
    case "tcp":
      return parseTcp(probe.value, report);
    case "grpc":
      return parseGrpc(probe.value, report);
    case undefined:
      report("healthCheck", "must have one of `http`, `tcp`, `grpc`");
      return { kind: "tcp", send: new Uint8Array(), expect: new Uint8Array() };
  }
}

function parseHttp(message: HttpCheck, report: Report): Probe {
  const method = message.method === "" ? DEFAULT_HTTP_PROBE.method : message.method;
  if (!TOKEN.test(method) || method === "CONNECT") {
    report("healthCheck.http.method", `"${method}" is not a method that a check can use`);
  }
  report.whenWritten("healthCheck.http.method", () =>
    method !== "CONNECT" && method.toUpperCase() === "CONNECT"
      ? `"${method}" opens a tunnel; a check cannot`
      : undefined,
  );
  return {
    kind: "http",
    method,
    path: parsePath(message.path, report),
    host: checkAuthority(report, "healthCheck.http.host", message.host),
    headers: parseHeaders(message.headers, report),
    expectedStatuses: parseStatuses(message.expectedStatuses, report),
    expectedBody:
      message.expectedBody === "" ? "" : checkRegex(report, "healthCheck.http.expectedBody", message.expectedBody),
    tls: parseTls(message.tls, "healthCheck.http.tls", report),
  };
}

function parsePath(path: string, report: Report): string {
  if (path === "") return DEFAULT_HTTP_PROBE.path;
  const field = "healthCheck.http.path";
  if (!path.startsWith("/")) report(field, `must begin with a slash, not "${path}"`);
  else if (!/^[\x21-\x7e]+$/.test(path) || path.includes("#")) {
    report(field, "must have printable ASCII characters only, no space or `#`; encode others with `%`");
  }
  return checkLength(report, field, path, MAX_PATH_LENGTH);
}

/** A host with or without a port, read as the check itself reads it; it is not resolved. */
function checkAuthority(report: Report, field: string, authority: string): string {
  const wrong = `"${authority}" is not a host with or without a port, such as \`shop.example\`, \`10.0.4.7:9001\`, \`[2001:db8::1]\``;
  if (!/^[A-Za-z0-9_.:[\]-]*$/.test(authority)) report(field, wrong);
  else if (authority !== "")
    report.whenWritten(field, () => (authorityUrl("http", authority) === null ? wrong : undefined));
  return checkLength(report, field, authority, MAX_HOST_LENGTH);
}

function parseHeaders(headers: Readonly<Record<string, string>>, report: Report): Readonly<Record<string, string>> {
  const entries = Object.entries(headers);
  checkCount(report, "healthCheck.http.headers", entries.length, { max: MAX_CHECK_HEADERS });
  for (const [name, value] of entries) {
    const field = `healthCheck.http.headers.${name.slice(0, MAX_HEADER_NAME_LENGTH)}`;
    if (!TOKEN.test(name)) report(field, "is not the name of a header");
    if (FRAMING.includes(name.toLowerCase())) report(field, "belongs to the check itself");
    report.whenWritten(field, () =>
      name.toLowerCase() === "trailer" ? "announces what follows a body, and a check has none" : undefined,
    );
    if (/[^\t\x20-\x7e]/.test(value)) report(field, "must have printable ASCII characters only");
    checkLength(report, field, name, MAX_HEADER_NAME_LENGTH);
    checkLength(report, field, value, MAX_HEADER_VALUE_LENGTH);
  }
  return headers;
}

const FRAMING: readonly string[] = ["connection", "content-length", "host", "transfer-encoding", "upgrade"];

function parseStatuses(ranges: readonly StatusRangeMessage[], report: Report): readonly StatusRange[] {
  if (ranges.length === 0) return DEFAULT_HTTP_PROBE.expectedStatuses;
  checkCount(report, "healthCheck.http.expectedStatuses", ranges.length, { max: MAX_CHECK_STATUS_RANGES });
  return ranges.map((range, i) => {
    const field = `healthCheck.http.expectedStatuses[${i}]`;
    const first = checkRange(report, `${field}.first`, range.first, { min: 100, max: 599 });
    const last = checkRangeOr(report, `${field}.last`, range.last, { min: 100, max: 599, otherwise: first });
    if (last < first) report(`${field}.last`, `must be at least first, ${first}, not ${last}`);
    return { first, last };
  });
}

function parseTcp({ send, expect }: TcpCheck, report: Report): Probe {
  for (const [field, bytes] of Object.entries({ send, expect })) {
    if (bytes.length <= MAX_TCP_CHECK_BYTES) continue;
    report(`healthCheck.tcp.${field}`, `must have at most ${MAX_TCP_CHECK_BYTES} bytes, not ${bytes.length}`);
  }
  return { kind: "tcp", send, expect };
}

function parseGrpc({ service, authority, tls }: GrpcCheck, report: Report): Probe {
  return {
    kind: "grpc",
    service: checkLength(report, "healthCheck.grpc.service", service, MAX_HOST_LENGTH),
    authority: checkAuthority(report, "healthCheck.grpc.authority", authority),
    tls: parseTls(tls, "healthCheck.grpc.tls", report),
  };
}

function parseTls(message: CheckTls | undefined, field: string, report: Report): TlsCheck | undefined {
  if (message === undefined) return undefined;
  const { serverName, skipVerification, trustedCertificates } = message;
  if (!/^([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.|$))*$/.test(serverName)) {
    report(`${field}.serverName`, `"${serverName}" is not a host name`);
  }
  report.whenWritten(`${field}.serverName`, () =>
    isIP(serverName) === 0
      ? undefined
      : "must be a name; without one the certificate must be for the backend's address",
  );
  if (trustedCertificates !== "" && !trustedCertificates.includes(PEM_BEGIN)) {
    report(`${field}.trustedCertificates`, "holds no PEM certificate");
  }
  report.whenWritten(`${field}.trustedCertificates`, () => unreadableCertificate(trustedCertificates));
  return {
    serverName: checkLength(report, `${field}.serverName`, serverName, MAX_HOST_LENGTH),
    verify: !skipVerification,
    trustedCertificates: checkLength(
      report,
      `${field}.trustedCertificates`,
      trustedCertificates,
      MAX_TRUSTED_CERTIFICATES_LENGTH,
    ),
  };
}

const PEM_BEGIN = "-----BEGIN CERTIFICATE-----";

/** OpenSSL silently skips a certificate that it cannot read: fewer would be trusted than were written. */
function unreadableCertificate(pem: string): string | undefined {
  if (pem.length > MAX_TRUSTED_CERTIFICATES_LENGTH) return undefined;
  const [, ...blocks] = pem.split(PEM_BEGIN);
  try {
    blocks.map((block) => new X509Certificate(PEM_BEGIN + block));
    return undefined;
  } catch (error) {
    return `a certificate cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
