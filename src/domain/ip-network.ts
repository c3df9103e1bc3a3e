import ipaddr from "ipaddr.js";
import { type IpAddress, type IpKind, ipKind, isWithin, leadsTo, readIp } from "./ip-address.ts";

/** A network in CIDR notation. */
export interface IpNetwork {
  /** In its canonical spelling: `10.0.0.0/8`, `fd00::/8`. */
  readonly text: string;
  readonly base: IpAddress;
  readonly bits: number;
}

/** Reads `10.0.0.0/8` or `fd00::/8`, or says what is wrong with it. */
export function readNetwork(text: string): { readonly network: IpNetwork } | { readonly problem: string } {
  const [address = "", length = "", ...more] = text.split("/");
  const ip = readIp(address);
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  const width = ip?.kind() === "ipv4" ? 32 : 128;
  if (ip === undefined || address.includes("%") || more.length > 0 || !(bits <= width)) {
    return { problem: `must be a network such as 10.0.0.0/8, fd00::/8, or 10.0.0.1/32 for one address, not "${text}"` };
  }
  const base = networkBase(ip, bits);
  const spelled = `${base.toString()}/${bits}`;
  if (base.toString() !== ip.toString())
    return { problem: `must begin where the network does, ${spelled}, not "${text}"` };
  if (leadsTo(base) !== base) return { problem: `must not carry IPv4 addresses: write these as such, not "${text}"` };
  return { network: { text: spelled, base, bits } };
}

export function networkHolds({ base, bits }: IpNetwork, ip: IpAddress): boolean {
  return isWithin(ip, base, bits);
}

/** Whether all addresses of a network are of this kind. */
export function networkIs({ base, bits }: IpNetwork, kind: IpKind): boolean {
  const family = base instanceof ipaddr.IPv6 ? ipaddr.IPv6 : ipaddr.IPv4;
  const last = family.broadcastAddressFromCIDR(`${base.toString()}/${bits}`);
  return ipKind(base) === kind && ipKind(last) === kind;
}

function networkBase(ip: IpAddress, bits: number): IpAddress {
  const family = ip instanceof ipaddr.IPv6 ? ipaddr.IPv6 : ipaddr.IPv4;
  return family.networkAddressFromCIDR(`${ip.toString()}/${bits}`);
}
