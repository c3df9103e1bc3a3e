import type { Violation } from "../domain/errors.ts";
import { type IpNetwork, readNetwork } from "../domain/ip-network.ts";
import { printableStart } from "../domain/printable.ts";
import { parseDuration } from "../schema/duration-text.ts";
import { isReplicaName, MAX_REPLICA_NAME_LENGTH } from "../store/peers.ts";
import { type Address, isLoopback, type Port, parseAddress } from "./address.ts";
import { NATS_SETTINGS, type NatsConfig, readNatsConfig } from "./nats-settings.ts";
import type { Setting } from "./setting.ts";

export const SETTINGS = [
  {
    key: "data",
    placeholder: "DIR",
    description: "keep the state in this directory (embedded store, for one process on one machine)",
    default: "./fairlead-data",
  },
  ...NATS_SETTINGS,
  { key: "xds", placeholder: "HOST:PORT", description: "where proxies connect", default: "127.0.0.1:18000" },
  { key: "admin", placeholder: "HOST:PORT", description: "where the admin API listens", default: "127.0.0.1:18001" },
  {
    key: "http",
    placeholder: "HOST:PORT",
    description: "where /metrics, /healthz and /readyz are served",
    default: "127.0.0.1:18002",
  },
  {
    key: "replica",
    placeholder: "NAME",
    description: "name of this process in status and in control_plane.identifier (default: the host name)",
  },
  {
    key: "insecure",
    placeholder: "",
    description: "allow listening on other addresses than loopback, although there is neither TLS nor authentication",
    flag: true,
  },
  {
    key: "outbound-networks",
    placeholder: "CIDR[,CIDR…]",
    description:
      "networks that the plane may connect to in addition to those that are open by default; a plane that listens beyond loopback needs 127.0.0.0/8 here to check backends on its own machine",
  },
  {
    key: "log-level",
    placeholder: "LEVEL",
    description: "trace, debug, info, warn, error or fatal",
    default: "info",
  },
  {
    key: "stop-grace",
    placeholder: "DURATION",
    description: "how long to wait for streams to end when stopping, at most 5m; a number without a unit is in seconds",
    default: "5s",
  },
] as const satisfies readonly Setting[];

export type SettingKey = (typeof SETTINGS)[number]["key"];

export interface Config extends Readonly<Record<Port, Address>> {
  readonly store: { readonly kind: "embedded"; readonly directory: string } | NatsConfig;
  readonly replica: string;
  /** Networks that the plane's own connections may reach, besides those that are open anyway. */
  readonly outboundNetworks: readonly IpNetwork[];
  readonly logLevel: string;
  readonly stopGraceMs: number;
  /** Settings that are allowed but deserve a warning. */
  readonly warnings: readonly string[];
}

/** Where each value may come from, the strongest source first: option, environment, file. */
export interface ConfigSources {
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file: Readonly<Record<string, unknown>>;
  readonly hostName: string;
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"];

/** Prefers the option, then the environment, the file and the default. Reports all bad values at once. */
export function readConfig(sources: ConfigSources): { config: Config } | { violations: readonly Violation[] } {
  const violations: Violation[] = [];
  const origin = new Map<SettingKey, string>();
  const value = (key: SettingKey): string => {
    const setting: Setting | undefined = SETTINGS.find((candidate) => candidate.key === key);
    const [from, found] = lookup(key, sources);
    origin.set(key, from);
    return found ?? setting?.default ?? "";
  };
  const bad = (key: SettingKey, message: string) => violations.push({ field: origin.get(key) ?? key, message });

  for (const { key } of SETTINGS) {
    for (const [field, found] of given(key, sources)) {
      if (isEmpty(found)) violations.push({ field, message: "is empty: leave it out, or give it a value" });
    }
  }
  for (const key of Object.keys(sources.file)) {
    if (!SETTINGS.some((setting) => setting.key === key)) {
      const known = SETTINGS.map((setting) => setting.key).join(", ");
      violations.push({ field: key, message: `is not a key of the configuration file; the known keys are ${known}` });
    }
  }

  const flag = (key: SettingKey): boolean => {
    const text = value(key);
    if (!["", "true", "false"].includes(text)) bad(key, `"${text}" is neither true nor false`);
    return text === "true";
  };
  const insecure = flag("insecure");
  const warnings: string[] = [];
  const address = (key: Port): Address => {
    const text = value(key);
    const parsed = parseAddress(text);
    if (parsed === undefined) {
      bad(key, `"${text}" is not of the form HOST:PORT, such as 127.0.0.1:18000`);
      return { host: "", port: 0 };
    }
    if (!isLoopback(parsed.host)) {
      if (insecure) warnings.push(`${key} listens on ${text} without TLS and without authentication`);
      else bad(key, `"${text}" is not a loopback address; add --insecure if everyone who can reach it may use it`);
    }
    return parsed;
  };

  const readStore = (): Config["store"] => {
    const directory = value("data");
    if (value("nats") === "") {
      for (const { key } of NATS_SETTINGS) {
        const [field, found] = lookup(key, sources);
        if (found !== undefined) violations.push({ field, message: "needs --nats, which names the servers" });
      }
      return { kind: "embedded", directory };
    }
    const [from, data] = lookup("data", sources);
    if (data !== undefined) bad("nats", `cannot be combined with ${from}: each of them names a store`);
    return readNatsConfig({ value, flag, bad });
  };

  const xds = address("xds");
  const admin = address("admin");
  const http = address("http");
  const store = readStore();
  const logLevel = value("log-level");
  if (!LOG_LEVELS.includes(logLevel)) bad("log-level", `"${logLevel}" is not one of ${LOG_LEVELS.join(", ")}`);
  const stopGraceMs = parseGraceMs(value("stop-grace"));
  if (stopGraceMs === undefined)
    bad(
      "stop-grace",
      `"${value("stop-grace")}" is not a duration of at most ${MAX_GRACE_MS / 60_000}m, such as 500ms or 5s`,
    );
  const replica = value("replica") || sources.hostName;
  if (!isReplicaName(replica)) {
    const found = printableStart(replica, MAX_REPLICA_NAME_LENGTH);
    bad(
      "replica",
      `"${found}" is not a valid name: it may have at most ${MAX_REPLICA_NAME_LENGTH} visible characters, and each of them that is not a letter, a digit, "_" or "-" counts as five`,
    );
  }
  const networks = value("outbound-networks");
  const outboundNetworks = (networks === "" ? [] : networks.split(",")).flatMap((text) => {
    const read = readNetwork(text.trim());
    if ("network" in read) return read.network;
    bad("outbound-networks", read.problem);
    return [];
  });
  if (stopGraceMs === undefined || violations.length > 0) return { violations };
  return {
    config: { store, xds, admin, http, replica, outboundNetworks, logLevel, stopGraceMs, warnings },
  };
}

const MAX_GRACE_MS = 300_000;

function parseGraceMs(text: string): number | undefined {
  const nanoseconds = parseDuration(/^[\d.]+$/.test(text) ? `${text}s` : text);
  const ms = Number(nanoseconds) / 1e6;
  return ms <= MAX_GRACE_MS ? ms : undefined;
}

/** The environment variable for a setting. */
export function environmentName(key: string): string {
  return `FAIRLEAD_${key.toUpperCase().replaceAll("-", "_")}`;
}

/** The places that a value may come from, by name, and what each holds. */
function given(key: SettingKey, { options, environment, file }: ConfigSources): readonly [string, unknown][] {
  const name = environmentName(key);
  const places: [string, unknown][] = [
    [`--${key}`, options[key]],
    [name, environment[name]],
    [`${key} of the configuration file`, file[key]],
  ];
  return places.filter(([, found]) => found !== undefined);
}

/**
 * A value that is given but empty comes from a variable that was never set, or a line that was never finished:
 * whoever gave it did not mean the default.
 */
function isEmpty(found: unknown): boolean {
  return found === null || (typeof found === "string" && found.trim() === "");
}

function lookup(key: SettingKey, sources: ConfigSources): [string, string | undefined] {
  const [place, found] = given(key, sources).find(([, value]) => !isEmpty(value)) ?? [`--${key}`, undefined];
  return [place, found === undefined || typeof found === "string" ? found : JSON.stringify(found)];
}
