import ipaddr from "ipaddr.js";

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** What an address is for, as far as it matters when one connects to it. Ranges that are reserved for anything else count as `private`. */
export type IpKind =
  | "unspecified"
  | "broadcast"
  | "multicast"
  | "link-local"
  | "metadata"
  | "loopback"
  | "private"
  | "public";

/** Cloud services that hand out credentials to anyone who asks. */
const METADATA: readonly [IpAddress, number][] = [
  "169.254.169.254/32", // most of them
  "169.254.170.2/32", // AWS, for containers
  "100.100.100.200/32", // Alibaba Cloud
  "168.63.129.16/32", // Azure
  "192.0.0.192/32", // Oracle Cloud
  "fd00:ec2::/32", // AWS
  "fd20:ce::254/128", // Google Cloud
  "fd00:42::42/128", // Scaleway
].map((text) => ipaddr.parseCIDR(text));

const KINDS: Readonly<Record<string, IpKind>> = {
  unspecified: "unspecified",
  broadcast: "broadcast",
  multicast: "multicast",
  linkLocal: "link-local",
  loopback: "loopback",
  unicast: "public",
};

/** Reads an IP literal; undefined for a name, and for what only some resolvers accept (`127.1`, `010.0.0.1`). */
export function readIp(text: string): IpAddress | undefined {
  if (text.includes(":")) return ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined;
  return isIpv4(text) ? ipaddr.IPv4.parse(text) : undefined;
}

/** Whether it is an IPv4 literal, which has only one spelling. */
export function isIpv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) && !/(^|\.)0\d/.test(text);
}

/** The kind of the address as it is written; `leadsTo` tells what it leads to. */
export function ipKind(ip: IpAddress): IpKind {
  if (METADATA.some(([base, bits]) => isWithin(ip, base, bits))) return "metadata";
  return KINDS[ip.range()] ?? "private";
}

export function isWithin(ip: IpAddress, base: IpAddress, bits: number): boolean {
  return ip.kind() === base.kind() && ip.match(base, bits);
}

/** The byte offset at which an IPv6 address carries an IPv4 one, by the network that it belongs to. */
const CARRIERS: readonly { readonly within: readonly [IpAddress, number]; readonly at: number }[] = [
  { within: ipaddr.parseCIDR("::ffff:0:0/96"), at: 12 }, // mapped, RFC 4291
  { within: ipaddr.parseCIDR("::ffff:0:0:0/96"), at: 12 }, // translated, RFC 2765
  { within: ipaddr.parseCIDR("64:ff9b::/96"), at: 12 }, // NAT64, RFC 6052
  { within: ipaddr.parseCIDR("64:ff9b:1::/48"), at: 12 }, // NAT64 of one's own, RFC 8215
  { within: ipaddr.parseCIDR("2002::/16"), at: 2 }, // 6to4, RFC 3056
];

/** The address itself, or the IPv4 address inside, if it is in one of the IPv6 forms that carry one. */
export function leadsTo(ip: IpAddress): IpAddress {
  if (!(ip instanceof ipaddr.IPv6)) return ip;
  const bytes = ip.toByteArray();
  const inside = (at: number) => new ipaddr.IPv4(bytes.slice(at, at + 4));
  const carrier = CARRIERS.find(({ within: [base, bits] }) => isWithin(ip, base, bits));
  if (carrier !== undefined) return inside(carrier.at);
  const isTeredo = isWithin(ip, TEREDO, 32);
  if (isTeredo) return new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff));
  // ISATAP, RFC 5214: the host part of the address begins with 0:5efe or 200:5efe.
  if ((bytes[8] === 0 || bytes[8] === 2) && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe)
    return inside(12);
  // Compatible, RFC 4291; `::` and `::1` are in the same network but stand for themselves.
  const isCompatible =
    bytes.slice(0, 12).every((byte) => byte === 0) && !["unspecified", "loopback"].includes(ip.range());
  return isCompatible ? inside(12) : ip;
}

const TEREDO = ipaddr.IPv6.parse("2001::");
