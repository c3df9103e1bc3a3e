import ipaddr from "ipaddr.js";

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** A network that nobody means who names all addresses: it has to be named by itself, or a part of it. */
export interface SpecialNetwork {
  readonly bits: number;
  /** `loopback`, as it stands in a sentence. */
  readonly what: string;
}

/** A narrower network comes before a wider one that holds it. */
const SPECIAL: readonly (readonly [cidr: string, what: string])[] = [
  // Where clouds hand out credentials and commands to whoever asks from the machine itself.
  ["169.254.169.254/32", "a cloud's metadata service"],
  ["169.254.170.2/32", "a cloud's metadata service"],
  ["168.63.129.16/32", "a cloud's metadata service"],
  ["100.100.100.200/32", "a cloud's metadata service"],
  ["192.0.0.192/32", "a cloud's metadata service"],
  ["fd00:ec2::254/128", "a cloud's metadata service"],
  ["fd20:ce::254/128", "a cloud's metadata service"],
  ["127.0.0.0/8", "loopback"],
  ["::1/128", "loopback"],
  ["169.254.0.0/16", "link-local"],
  ["fe80::/10", "link-local"],
  // A connection to it reaches the machine itself.
  ["0.0.0.0/8", "unspecified"],
  ["::/128", "unspecified"],
  ["224.0.0.0/4", "multicast"],
  ["ff00::/8", "multicast"],
  ["255.255.255.255/32", "broadcast"],
];
const NETWORKS = SPECIAL.map(([cidr, what]) => ({ range: ipaddr.parseCIDR(cidr), what }));

/** The first bits of IPv6 addresses that lead on to the IPv4 address in them, and the byte where that begins. */
const CARRIERS = [
  { range: ipaddr.parseCIDR("64:ff9b::/96"), at: 12 },
  { range: ipaddr.parseCIDR("64:ff9b:1::/48"), at: 12 },
  { range: ipaddr.parseCIDR("2002::/16"), at: 2 },
  { range: ipaddr.parseCIDR("::/96"), at: 12 },
] as const;

/** Most addresses are none of these, which their first byte tells. */
const SPECIAL_FIRST = new Set(
  NETWORKS.flatMap(({ range: [network, bits] }) => {
    const [first = 0] = network instanceof ipaddr.IPv4 ? network.octets : [];
    return network instanceof ipaddr.IPv4
      ? Array.from({ length: 2 ** Math.max(0, 8 - bits) }, (_, i) => first + i)
      : [];
  }),
);

/** No shortened form, no octal, no zone. */
export function isIpLiteral(text: string): boolean {
  if (text.includes(":")) return !text.includes("%") && ipaddr.IPv6.isValid(text);
  return ipaddr.IPv4.isValidFourPartDecimal(text) && !/(^|\.)0\d/.test(text);
}

/** Reads an IP literal. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address: it leads to the same place. */
export function readIp(text: string): IpAddress {
  if (!text.includes(":")) return new ipaddr.IPv4(text.split(".").map(Number));
  const address = ipaddr.parse(text);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** The special network that an address belongs to, the narrowest; one that leads on to such an address is one by itself. */
export function specialNetwork(address: IpAddress): SpecialNetwork | undefined {
  if (address instanceof ipaddr.IPv4 && !SPECIAL_FIRST.has(address.octets[0] ?? 0)) return undefined;
  for (const { range, what } of NETWORKS) if (isWithin(address, range)) return { bits: range[1], what };
  const carried = carriedAddress(address);
  const inner = carried && specialNetwork(carried);
  return inner && { bits: 128, what: `a way to ${carried.toString()}, ${inner.what}` };
}

/** The IPv4 address that a translator or a tunnel makes of an IPv6 address. */
export function carriedAddress(address: IpAddress): ipaddr.IPv4 | undefined {
  if (address instanceof ipaddr.IPv4) return undefined;
  const carrier = CARRIERS.find(({ range }) => isWithin(address, range));
  return carrier && new ipaddr.IPv4(address.toByteArray().slice(carrier.at, carrier.at + 4));
}

export function isWithin(address: IpAddress, [network, bits]: readonly [IpAddress, number]): boolean {
  if (address instanceof ipaddr.IPv4) return network instanceof ipaddr.IPv4 && address.match(network, bits);
  return network instanceof ipaddr.IPv6 && address.match(network, bits);
}
