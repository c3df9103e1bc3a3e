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
  CHECK_LIMITS,
  MAX_HEADER_NAME_LENGTH,
  MAX_HEADER_VALUE_LENGTH,
  MAX_HOST_LENGTH,
  MAX_PATH_LENGTH,
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

/** @param addedAt When the check was added to the service. */
export function parseHealthCheck(
  message: HealthCheckMessage,
  addedAt: number | undefined,
  report: Report,
): HealthCheck {
  const intervalMs = checkDuration(report, "interval", message.interval, HEALTH_CHECK_TIMES.interval);
  /** A time that is no longer than the interval by default. */
  const time = (field: "timeout" | "changingInterval", maxMs: number) => {
    const { minMs, otherwiseMs } = HEALTH_CHECK_TIMES[field];
    const limits = { minMs, maxMs, otherwiseMs: Math.min(otherwiseMs, intervalMs) };
    return checkDuration(report, field, message[field], limits);
  };
  const timeoutMs = time("timeout", HEALTH_CHECK_TIMES.timeout.maxMs);
  if (timeoutMs > intervalMs) {
    report("interval", `must be at least the timeout, ${timeoutMs / 1000}s, not ${intervalMs / 1000}s`);
  }
  const threshold = (field: "unhealthyThreshold" | "healthyThreshold") =>
    checkRange(report, field, message[field] ?? DEFAULT_HEALTH_CHECK[field], CHECK_LIMITS.threshold);
  return {
    probe: parseProbe(message.probe, report),
    intervalMs,
    timeoutMs,
    unhealthyThreshold: threshold("unhealthyThreshold"),
    healthyThreshold: threshold("healthyThreshold"),
    jitterRatio: checkRange(report, "jitterPercent", message.jitterPercent, CHECK_LIMITS.jitterPercent) / 100,
    changingIntervalMs: time("changingInterval", intervalMs),
    initial: checkEnum(report, "initialState", message.initialState, {
      values: HealthCheck_InitialState,
      otherwise: DEFAULT_HEALTH_CHECK.initial,
    }),
    addedAt,
  };
}

function parseProbe(probe: HealthCheckMessage["probe"], report: Report): Probe {
  switch (probe.case) {
    case "http":
      return parseHttp(probe.value, report.at("http"));
    case "tcp":
      return parseTcp(probe.value, report.at("tcp"));
    case "grpc":
      return parseGrpc(probe.value, report.at("grpc"));
    case undefined:
      report("", "must have one of `http`, `tcp`, `grpc`");
      return { kind: "tcp", send: new Uint8Array(), expect: new Uint8Array() };
  }
}

function parseHttp(message: HttpCheck, report: Report): Probe {
  const method = message.method === "" ? DEFAULT_HTTP_PROBE.method : message.method;
  const wrong = `must be a method such as GET that opens no tunnel, not "${method}"`;
  if (!TOKEN.test(method) || method === "CONNECT") report("method", wrong);
  else report.whenWritten("method", () => (method.toUpperCase() === "CONNECT" ? wrong : undefined));
  return {
    kind: "http",
    method,
    path: parsePath(message.path, report),
    host: checkAuthority(report, "host", message.host),
    headers: parseHeaders(message.headers, report),
    expectedStatuses: parseStatuses(message.expectedStatuses, report),
    expectedBody: message.expectedBody && checkRegex(report, "expectedBody", message.expectedBody),
    tls: message.tls && parseTls(message.tls, report.at("tls")),
  };
}

function parsePath(path: string, report: Report): string {
  if (path === "") return DEFAULT_HTTP_PROBE.path;
  if (!path.startsWith("/")) report("path", `must begin with a slash, not "${path}"`);
  else if (!/^[\x21-\x7e]+$/.test(path) || path.includes("#")) {
    report("path", "must have only printable ASCII characters, and no space or `#`; encode others with `%`");
  }
  return checkLength(report, "path", path, MAX_PATH_LENGTH);
}

/** A host with or without a port, read as the check itself reads it; it is not resolved. */
function checkAuthority(report: Report, field: string, authority: string): string {
  const form = "a host with or without a port, such as `shop.example`, `10.0.4.7:9001`, `[2001:db8::1]`";
  const wrong = `must be ${form}, not "${authority}"`;
  if (!/^[A-Za-z0-9_.:[\]-]*$/.test(authority)) report(field, wrong);
  else if (authority !== "")
    report.whenWritten(field, () => (authorityUrl("http", authority) === null ? wrong : undefined));
  return checkLength(report, field, authority, MAX_HOST_LENGTH);
}

function parseHeaders(headers: Readonly<Record<string, string>>, report: Report): Readonly<Record<string, string>> {
  const entries = Object.entries(headers);
  checkCount(report, "headers", entries.length, CHECK_LIMITS.headers);
  for (const [name, value] of entries) {
    const field = `headers.${name.slice(0, MAX_HEADER_NAME_LENGTH)}`;
    if (!TOKEN.test(name)) report(field, "must have the name of a header as its key");
    if (FRAMING.includes(name.toLowerCase())) report(field, "must be left out: the check itself sets this header");
    report.whenWritten(field, () =>
      name.toLowerCase() === "trailer"
        ? "must be left out: it announces what follows a body, and a check has none"
        : undefined,
    );
    if (/[^\t\x20-\x7e]/.test(value)) report(field, "must have only printable ASCII characters");
    checkLength(report, field, name, MAX_HEADER_NAME_LENGTH);
    checkLength(report, field, value, MAX_HEADER_VALUE_LENGTH);
  }
  return headers;
}

const FRAMING: readonly string[] = ["connection", "content-length", "host", "transfer-encoding", "upgrade"];

function parseStatuses(ranges: readonly StatusRangeMessage[], report: Report): readonly StatusRange[] {
  if (ranges.length === 0) return DEFAULT_HTTP_PROBE.expectedStatuses;
  checkCount(report, "expectedStatuses", ranges.length, CHECK_LIMITS.statusRanges);
  return ranges.map((range, i) => {
    const place = report.at(`expectedStatuses[${i}]`);
    const first = checkRange(place, "first", range.first, CHECK_LIMITS.status);
    const last = checkRangeOr(place, "last", range.last, { ...CHECK_LIMITS.status, otherwise: first });
    if (last < first) place("last", `must be at least first, ${first}, not ${last}`);
    return { first, last };
  });
}

function parseTcp({ send, expect }: TcpCheck, report: Report): Probe {
  for (const [field, bytes] of Object.entries({ send, expect })) {
    if (bytes.length <= CHECK_LIMITS.tcpBytes) continue;
    report(field, `must have at most ${CHECK_LIMITS.tcpBytes} bytes, not ${bytes.length}`);
  }
  return { kind: "tcp", send, expect };
}

function parseGrpc({ service, authority, tls }: GrpcCheck, report: Report): Probe {
  return {
    kind: "grpc",
    service: checkLength(report, "service", service, MAX_HOST_LENGTH),
    authority: checkAuthority(report, "authority", authority),
    tls: tls && parseTls(tls, report.at("tls")),
  };
}

function parseTls({ serverName, skipVerification, trustedCertificates }: CheckTls, report: Report): TlsCheck {
  if (!/^([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.|$))*$/.test(serverName)) {
    report("serverName", `must be a host name, not "${serverName}"`);
  }
  report.whenWritten("serverName", () =>
    isIP(serverName) === 0
      ? undefined
      : `must be a host name, not "${serverName}"; without one the certificate must be for the backend's address`,
  );
  if (trustedCertificates !== "" && !trustedCertificates.includes(PEM_BEGIN)) {
    report("trustedCertificates", `must hold certificates in PEM, each after \`${PEM_BEGIN}\``);
  }
  report.whenWritten("trustedCertificates", () => unreadableCertificate(trustedCertificates));
  return {
    serverName: checkLength(report, "serverName", serverName, MAX_HOST_LENGTH),
    verify: !skipVerification,
    trustedCertificates: checkLength(
      report,
      "trustedCertificates",
      trustedCertificates,
      CHECK_LIMITS.certificatesLength,
    ),
  };
}

const PEM_BEGIN = "-----BEGIN CERTIFICATE-----";

/** OpenSSL silently skips a certificate that it cannot read: fewer would be trusted than were written. */
function unreadableCertificate(pem: string): string | undefined {
  if (pem.length > CHECK_LIMITS.certificatesLength) return undefined;
  const [, ...blocks] = pem.split(PEM_BEGIN);
  try {
    blocks.map((block) => new X509Certificate(PEM_BEGIN + block));
    return undefined;
  } catch (error) {
    return `must hold certificates that can be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
