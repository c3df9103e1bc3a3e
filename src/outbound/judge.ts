import { targetText } from "../domain/backend.ts";
import { type IpAddress, type IpKind, ipKind, leadsTo, readIp } from "../domain/ip-address.ts";
import { type IpNetwork, networkHolds } from "../domain/ip-network.ts";

/** A port that nobody may reach through the plane. One on this machine is protected on every address of this machine. */
export interface ProtectedPort {
  /** What it is: `the plane's own admin port`. */
  readonly what: string;
  /** An IP literal, `0.0.0.0` or `::` for this machine; absent while it is not known, and then any address may be it. */
  readonly ip?: string;
  readonly port: number;
}

/** What a connection is for. Backends are in private networks; anything else that the plane is told to fetch seldom is. */
export type Purpose = "check" | "other";

export interface OutboundRules {
  /** The plane itself is reachable only from its own machine, so anyone who uses it is there already. */
  readonly listensOnLoopbackOnly: boolean;
  /** Networks that are open in addition, by `--outbound-networks`. */
  readonly networks: readonly IpNetwork[];
  /** Whether an address is one of this machine's. Only asked where the port is one of `ports`. */
  readonly isLocal: (ip: IpAddress) => boolean;
  readonly ports: Iterable<ProtectedPort>;
}

/** Nothing may open these: no backend is there, and what is there trusts anyone who reaches it. */
const NEVER: Readonly<Partial<Record<IpKind, string>>> = {
  unspecified: "not the address of a machine",
  broadcast: "a broadcast address",
  multicast: "a multicast address",
  "link-local": "a link-local address",
  metadata: "a metadata service of a cloud",
};

/**
 * Law 18: why the plane must not connect to an address that it was given; undefined where it may. An IPv6 address that
 * carries an IPv4 one is judged by that. Ask this about the very address that is connected to, after names are resolved.
 */
export function judgeAddress(
  { ip: text, port }: { readonly ip: string; readonly port: number },
  purpose: Purpose,
  rules: OutboundRules,
): string | undefined {
  const written = readIp(text);
  if (written === undefined) return `"${text}" is not an IP address`;
  const ip = leadsTo(written);
  const never = NEVER[ipKind(written)] ?? NEVER[ipKind(ip)];
  if (never !== undefined) return `${text} is ${never}`;
  const place = targetText({ kind: "address", ip: text, port });
  for (const known of rules.ports) {
    if (known.port !== port) continue;
    if (known.ip === undefined) return `${place} may be ${known.what}, whose address is not known yet`;
    if (isAt(known.ip, ip, rules.isLocal)) return `${place} is ${known.what}`;
  }
  const kind = ipKind(ip);
  const isOpen = kind === "public" || (kind === "private" && purpose === "check") || rules.listensOnLoopbackOnly;
  if (isOpen || rules.networks.some((network) => networkHolds(network, ip))) return undefined;
  return `${text} is a ${kind} address, and the plane listens beyond loopback; --outbound-networks can allow it`;
}

function isAt(known: string, ip: IpAddress, isLocal: OutboundRules["isLocal"]): boolean {
  const written = readIp(known);
  if (written === undefined) return false;
  const address = leadsTo(written);
  if (address.toString() === ip.toString()) return true;
  return (ipKind(address) === "unspecified" || isLocal(address)) && isLocal(ip);
}
