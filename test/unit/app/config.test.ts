import { describe, expect, it } from "vitest";
import { formatAddress } from "../../../src/app/address.ts";
import { type ConfigSources, environmentName, readConfig, SETTINGS } from "../../../src/app/config.ts";

const nothing: ConfigSources = { options: {}, environment: {}, file: {}, hostName: "plane-a" };

function configOf(sources: Partial<ConfigSources>) {
  const read = readConfig({ ...nothing, ...sources });
  if ("violations" in read) throw new Error(JSON.stringify(read.violations));
  return read.config;
}

function fieldsOf(sources: Partial<ConfigSources>) {
  const read = readConfig({ ...nothing, ...sources });
  return "violations" in read ? read.violations.map(({ field }) => field) : [];
}

describe("readConfig", () => {
  it("listens on loopback by default and takes the host name as the replica's", () => {
    const config = configOf({});
    expect([config.xds, config.admin, config.http].map(formatAddress)).toEqual([
      "127.0.0.1:18000",
      "127.0.0.1:18001",
      "127.0.0.1:18002",
    ]);
    expect(config.replica).toBe("plane-a");
  });

  it("takes an option before the environment before the file before the default", () => {
    const file = { xds: "127.0.0.1:3", admin: "127.0.0.1:3", http: "127.0.0.1:3" };
    const environment = { FAIRLEAD_XDS: "127.0.0.1:2", FAIRLEAD_ADMIN: "127.0.0.1:2" };
    const config = configOf({ options: { xds: "127.0.0.1:1" }, environment, file });
    expect([config.xds.port, config.admin.port, config.http.port]).toEqual([1, 2, 3]);
  });

  it("refuses an address that is not loopback without --insecure, and warns with it", () => {
    expect(fieldsOf({ options: { xds: "0.0.0.0:18000" } })).toEqual(["--xds"]);
    expect(fieldsOf({ options: { admin: "[2001:db8::1]:1" } })).toEqual(["--admin"]);
    expect(configOf({ options: { xds: "0.0.0.0:18000", insecure: true } }).warnings).toHaveLength(1);
    expect(configOf({ options: { xds: "[::1]:1", admin: "localhost:2" } }).warnings).toEqual([]);
  });

  it("names where each bad value came from, all at once", () => {
    const environment = { FAIRLEAD_LOG_LEVEL: "loud" };
    const file = { http: "8080", ports: 1 };
    expect(fieldsOf({ options: { xds: "host:1" }, environment, file }).sort()).toEqual([
      "--xds",
      "FAIRLEAD_LOG_LEVEL",
      "http of the configuration file",
      "ports",
    ]);
  });

  it("refuses a replica's name that is too long for a key, or that does not show", () => {
    for (const replica of ["a".repeat(191), "é".repeat(39), "a\nb", "\u202egninevig"]) {
      expect(fieldsOf({ options: { replica } })).toEqual(["--replica"]);
      expect(fieldsOf({ hostName: replica })).toEqual(["--replica"]);
    }
    expect(configOf({ options: { replica: "é".repeat(38) } }).replica).toHaveLength(38);
  });

  it("reads the networks that are open in addition, and says of each that is none what would be right", () => {
    const { outboundNetworks } = configOf({ environment: { FAIRLEAD_OUTBOUND_NETWORKS: "127.0.0.0/8, FD00::/8" } });
    expect(outboundNetworks.map(({ text }) => text)).toEqual(["127.0.0.0/8", "fd00::/8"]);
    expect(configOf({}).outboundNetworks).toEqual([]);
    const read = readConfig({
      ...nothing,
      options: { "outbound-networks": "10.0.0.1/8,loopback,::ffff:10.0.0.0/104" },
    });
    expect("violations" in read && read.violations.map(({ message }) => message)).toEqual([
      'must begin where the network does, 10.0.0.0/8, not "10.0.0.1/8"',
      'must be a network such as 10.0.0.0/8, fd00::/8, or 10.0.0.1/32 for one address, not "loopback"',
      'must not carry IPv4 addresses: write these as such, not "::ffff:10.0.0.0/104"',
    ]);
  });

  it("refuses a port above 65535", () => {
    expect(fieldsOf({ options: { xds: "127.0.0.1:70000" } })).toEqual(["--xds"]);
  });

  it.each(SETTINGS.map(({ key }) => key))("takes an empty %s, wherever it is from, for no value of it", (key) => {
    const name = environmentName(key);
    expect(fieldsOf({ options: { [key]: "" } })).toEqual([`--${key}`]);
    expect(fieldsOf({ environment: { [name]: " " } })).toEqual([name]);
    expect(fieldsOf({ file: { [key]: null } })).toEqual([`${key} of the configuration file`]);
    expect(fieldsOf({ file: { [key]: "" } })).toEqual([`${key} of the configuration file`]);
  });

  it("takes a flag to be set by true and by nothing else", () => {
    expect(fieldsOf({ environment: { FAIRLEAD_INSECURE: "yes" } })).toEqual(["FAIRLEAD_INSECURE"]);
    expect(
      configOf({ environment: { FAIRLEAD_INSECURE: "true" }, options: { xds: "0.0.0.0:1" } }).warnings,
    ).toHaveLength(1);
    expect(configOf({ file: { insecure: false } }).warnings).toEqual([]);
  });
});
