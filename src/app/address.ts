import { BlockList, isIP } from "node:net";

/** The ports of a plane, by the settings that say where they listen. */
export const PORTS = ["xds", "admin", "http"] as const;
export type Port = (typeof PORTS)[number];

export interface Address {
  /** `localhost` or an IP literal, without brackets. */
  readonly host: string;
  readonly port: number;
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `HOST:PORT`, where HOST is `localhost` or an IP literal, in brackets if it is IPv6. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const host = match[1] ?? match[2] ?? "";
  const port = Number(match[3]);
  if (port > 65_535 || (isIP(host) === 0 && host !== "localhost")) return undefined;
  return { host, port };
}

/** Whether the plane can only be reached from its own machine. */
export function listensOnLoopbackOnly(addresses: Readonly<Record<Port, Address>>): boolean {
  return PORTS.every((port) => isLoopback(addresses[port].host));
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether `text` can only mean this machine; it is an IP literal, with or without brackets, or `localhost`. */
export function isLoopback(text: string): boolean {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  if (host === "localhost") return true;
  if (isIP(host) === 0) return false;
  return loopback.check(host, isIP(host) === 6 ? "ipv6" : "ipv4");
}
