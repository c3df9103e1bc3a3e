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
  CheckTlsSchema,
  GrpcCheckSchema,
  HealthCheck_InitialState,
  type HealthCheck as HealthCheckMessage,
  HealthCheckSchema,
  type HttpCheck,
  HttpCheckSchema,
  type StatusRange as StatusRangeMessage,
  StatusRangeSchema,
  TcpCheckSchema,
} from "../gen/fairlead/admin/v1/health_check_pb.ts";
import { factsOf, type TextForm } from "./facts.ts";
import { checkEnum, type Report, readDuration } from "./field-checks.ts";
import { TOKEN } from "./http-checks.ts";
import { checkRegex } from "./regex-check.ts";
import { noneOf, REGEX } from "./text-forms.ts";

const METHOD: TextForm = {
  patterns: [TOKEN, noneOf(["connect"])],
  read: (report, field, method) => {
    const wrong = `must be a method such as GET that opens no tunnel, not "${method}"`;
    if (!TOKEN.test(method) || method === "CONNECT") report(field, wrong);
    else report.whenWritten(field, () => (method.toUpperCase() === "CONNECT" ? wrong : undefined));
    return method;
  },
};

/** Printable ASCII without a space or `#`. */
const CHECKED_PATH_CHARACTERS = /^[\x21\x22\x24-\x7e]*$/;
const CHECKED_PATH: TextForm = {
  patterns: [/^\//, CHECKED_PATH_CHARACTERS],
  maxLength: MAX_PATH_LENGTH,
  read: (report, field, path) => {
    if (!path.startsWith("/")) report(field, `must begin with a slash, not "${path}"`);
    else if (!CHECKED_PATH_CHARACTERS.test(path)) {
      report(field, "must have only printable ASCII characters, and no space or `#`; encode others with `%`");
    }
    return path;
  },
};

/** A host with or without a port, read as the check itself reads it; it is not resolved. */
const AUTHORITY_CHARACTERS = /^[A-Za-z0-9_.:[\]-]*$/;
const AUTHORITY: TextForm = {
  patterns: [AUTHORITY_CHARACTERS, /^(?:\[[^\]]*\]|[^:[\]]+)(?::[0-9]*)?$/],
  maxLength: MAX_HOST_LENGTH,
  read: (report, field, authority) => {
    const form = "a host with or without a port, such as `shop.example`, `10.0.4.7:9001`, `[2001:db8::1]`";
    const wrong = `must be ${form}, not "${authority}"`;
    if (!AUTHORITY_CHARACTERS.test(authority)) report(field, wrong);
    else report.whenWritten(field, () => (authorityUrl("http", authority) === null ? wrong : undefined));
    return authority;
  },
};

const FRAMING: readonly string[] = ["connection", "content-length", "host", "transfer-encoding", "upgrade"];
const HEADER_NAME: TextForm = {
  patterns: [TOKEN, noneOf([...FRAMING, "trailer"])],
  read: (report, field, name) => {
    if (!TOKEN.test(name)) report(field, "must have the name of a header as its key");
    if (FRAMING.includes(name.toLowerCase())) report(field, "must be left out: the check itself sets this header");
    report.whenWritten(field, () =>
      name.toLowerCase() === "trailer"
        ? "must be left out: it announces what follows a body, and a check has none"
        : undefined,
    );
    return name;
  },
};
const HEADER_CHARACTERS = /^[\t\x20-\x7e]*$/;
const HEADER_TEXT: TextForm = {
  patterns: [HEADER_CHARACTERS],
  read: (report, field, value) => {
    if (!HEADER_CHARACTERS.test(value)) report(field, "must have only printable ASCII characters");
    return value;
  },
};

const SERVER_NAME_LABELS = /^([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.|$))*$/;
const SERVER_NAME: TextForm = {
  patterns: [SERVER_NAME_LABELS],
  maxLength: MAX_HOST_LENGTH,
  read: (report, field, name) => {
    if (!SERVER_NAME_LABELS.test(name)) report(field, `must be a host name, not "${name}"`);
    report.whenWritten(field, () =>
      isIP(name) === 0
        ? undefined
        : `must be a host name, not "${name}"; without one the certificate must be for the backend's address`,
    );
    return name;
  },
};

const PEM_BEGIN = "-----BEGIN CERTIFICATE-----";
const CERTIFICATES: TextForm = {
  patterns: [new RegExp(PEM_BEGIN)],
  maxLength: CHECK_LIMITS.certificatesLength,
  read: (report, field, pem) => {
    if (!pem.includes(PEM_BEGIN)) report(field, `must hold certificates in PEM, each after \`${PEM_BEGIN}\``);
    report.whenWritten(field, () => unreadableCertificate(pem));
    return pem;
  },
};

const EXPECTED_BODY: TextForm = {
  ...REGEX,
  read: (report, field, regex) => {
    checkRegex(report, field, regex);
    return regex;
  },
};

export const HEALTH_CHECK_FACTS = [
  factsOf(
    HealthCheckSchema,
    {
      interval: { time: HEALTH_CHECK_TIMES.interval },
      timeout: { time: HEALTH_CHECK_TIMES.timeout },
      unhealthyThreshold: { range: CHECK_LIMITS.threshold, otherwise: DEFAULT_HEALTH_CHECK.unhealthyThreshold },
      healthyThreshold: { range: CHECK_LIMITS.threshold, otherwise: DEFAULT_HEALTH_CHECK.healthyThreshold },
      jitterPercent: { range: CHECK_LIMITS.jitterPercent, otherwise: 0 },
      changingInterval: { time: HEALTH_CHECK_TIMES.changingInterval },
      initialState: { otherwise: DEFAULT_HEALTH_CHECK.initial },
    },
    { fields: ["http", "tcp", "grpc"] },
  ),
  factsOf(HttpCheckSchema, {
    method: { text: METHOD, otherwise: DEFAULT_HTTP_PROBE.method },
    path: { text: CHECKED_PATH, otherwise: DEFAULT_HTTP_PROBE.path },
    host: { text: AUTHORITY },
    headers: {
      entries: {
        max: CHECK_LIMITS.headers.max,
        keyLength: MAX_HEADER_NAME_LENGTH,
        valueLength: MAX_HEADER_VALUE_LENGTH,
        key: HEADER_NAME,
        value: HEADER_TEXT,
      },
    },
    expectedStatuses: { count: CHECK_LIMITS.statusRanges, otherwise: [...DEFAULT_HTTP_PROBE.expectedStatuses] },
    expectedBody: { text: EXPECTED_BODY },
  }),
  factsOf(StatusRangeSchema, { first: { range: CHECK_LIMITS.status }, last: { range: CHECK_LIMITS.status } }),
  factsOf(TcpCheckSchema, {
    send: { maxBytes: CHECK_LIMITS.tcpBytes },
    expect: { maxBytes: CHECK_LIMITS.tcpBytes },
  }),
  factsOf(GrpcCheckSchema, {
    service: { text: { maxLength: MAX_HOST_LENGTH } },
    authority: { text: AUTHORITY },
  }),
  factsOf(CheckTlsSchema, { serverName: { text: SERVER_NAME }, trustedCertificates: { text: CERTIFICATES } }),
];

/** @param addedAt When the check was added to the service. */
export function parseHealthCheck(
  message: HealthCheckMessage,
  addedAt: number | undefined,
  report: Report,
): HealthCheck {
  const intervalMs = readDuration(message.interval, HEALTH_CHECK_TIMES.interval.otherwiseMs);
  /** A time that is no longer than the interval by default. */
  const time = (field: "timeout" | "changingInterval") =>
    readDuration(message[field], Math.min(HEALTH_CHECK_TIMES[field].otherwiseMs, intervalMs));
  const timeoutMs = time("timeout");
  if (timeoutMs > intervalMs) {
    report("interval", `must be at least the timeout, ${timeoutMs / 1000}s, not ${intervalMs / 1000}s`);
  }
  const changingIntervalMs = time("changingInterval");
  if (changingIntervalMs > intervalMs) {
    report("changingInterval", `must be at most interval, ${intervalMs / 1000}s, not ${changingIntervalMs / 1000}s`);
  }
  return {
    probe: parseProbe(message.probe, report),
    intervalMs,
    timeoutMs,
    unhealthyThreshold: message.unhealthyThreshold ?? DEFAULT_HEALTH_CHECK.unhealthyThreshold,
    healthyThreshold: message.healthyThreshold ?? DEFAULT_HEALTH_CHECK.healthyThreshold,
    jitterRatio: message.jitterPercent / 100,
    changingIntervalMs,
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
    case "grpc": {
      const { service, authority, tls } = probe.value;
      return { kind: "grpc", service, authority, tls: tls && readTls(tls) };
    }
    case "tcp":
    case undefined: {
      const { send = new Uint8Array(), expect = new Uint8Array() } = probe.value ?? {};
      return { kind: "tcp", send, expect };
    }
  }
}

function parseHttp(message: HttpCheck, report: Report): Probe {
  return {
    kind: "http",
    method: message.method === "" ? DEFAULT_HTTP_PROBE.method : message.method,
    path: message.path === "" ? DEFAULT_HTTP_PROBE.path : message.path,
    host: message.host,
    headers: message.headers,
    expectedStatuses: parseStatuses(message.expectedStatuses, report),
    expectedBody: message.expectedBody,
    tls: message.tls && readTls(message.tls),
  };
}

function parseStatuses(ranges: readonly StatusRangeMessage[], report: Report): readonly StatusRange[] {
  if (ranges.length === 0) return DEFAULT_HTTP_PROBE.expectedStatuses;
  return ranges.map(({ first, last = first }, i) => {
    if (last > 0 && last < first)
      report(`expectedStatuses[${i}].last`, `must be at least first, ${first}, not ${last}`);
    return { first, last };
  });
}

function readTls({ serverName, skipVerification, trustedCertificates }: CheckTls): TlsCheck {
  return { serverName, verify: !skipVerification, trustedCertificates };
}

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
