import ipaddr from "ipaddr.js";
import { addressText, type Target } from "./backend.ts";
import { type IpAddress, type IpKind, ipKind, leadsTo, readIp } from "./ip-address.ts";
import { type IpNetwork, networkHolds, networkIs, readNetwork } from "./ip-network.ts";
import { MAX_PIPE_PATH_BYTES, PORT } from "./limits.ts";

/** One place where the backends of a fleet may be: addresses, or Unix sockets on the proxies' machines. */
type BackendNetwork =
  | { readonly kind: "network"; readonly network: IpNetwork }
  /** One address and port. */
  | { readonly kind: "address"; readonly key: string }
  /** One socket or, with a `/` at its end, all sockets below that directory. */
  | { readonly kind: "path"; readonly path: string };

/** Where a plane listens. */
export interface PlaneAddress {
  /** An IP literal. */
  readonly ip: string;
  readonly port: number;
}

/** Where a replica listens, as its record says. */
export interface PlaneRecord {
  readonly addresses: readonly PlaneAddress[];
  /** When it was written, by the store's clock. */
  readonly at: number;
}

/** What fleets without networks got: the Unix sockets that they led to or, from a plane on loopback only, loopback too. */
export type NetworksFilled = "sockets" | "loopback";

/** Why a backend lies outside what a fleet's proxies may reach; undefined for one that does not. */
export type BackendJudge = (target: Target) => string | undefined;

/** Everything that is not special, which is what a fleet that names no networks has. */
export const ORDINARY_NETWORKS = ["0.0.0.0/0", "::/0"] as const;
export const LOOPBACK_NETWORKS = ["127.0.0.0/8", "::1/128"] as const;

export type ReadBackendNetwork =
  | { readonly ok: true; readonly network: BackendNetwork; readonly text: string }
  | { readonly ok: false; readonly message: string };

/**
 * Reads `10.0.0.0/8`, `fd00::/8`, `10.0.0.5:9001`, `/run/shop.sock` or `/run/shop/`; `text` in the result is its one
 * spelling.
 */
export function readBackendNetwork(text: string): ReadBackendNetwork {
  if (text.startsWith("/")) return readPath(text);
  const match = /^(?:\[([^\]]*)\]|([0-9.]+)):(\d{1,5})$/.exec(text);
  if (match !== null) return readAddress(text, match[1] ?? match[2] ?? "", Number(match[3]));
  const read = readNetwork(text);
  if ("network" in read) return { ok: true, network: { kind: "network", ...read }, text: read.network.text };
  const message = `${read.problem}; an address such as 10.0.0.5:9001 or a path such as /run/shop/ would do, too`;
  return { ok: false, message };
}

function readAddress(text: string, literal: string, port: number): ReadBackendNetwork {
  const ip = readIp(literal);
  if (ip === undefined || literal.includes("%") || port < PORT.min || port > PORT.max) {
    const message = `must be an IP literal and a port from ${PORT.min} to ${PORT.max}, not "${text}"`;
    return { ok: false, message };
  }
  const address = plain(ip);
  const spelling = addressText({ ip: address.toString(), port });
  return { ok: true, network: { kind: "address", key: keyOf(address, port) }, text: spelling };
}

function readPath(path: string): ReadBackendNetwork {
  if (path.includes("\0") || new TextEncoder().encode(path).length > MAX_PIPE_PATH_BYTES) {
    return { ok: false, message: `must be a path of at most ${MAX_PIPE_PATH_BYTES} bytes, none of them zero` };
  }
  if (path !== "/" && !isPlainPath(path.replace(/\/$/, ""))) {
    return { ok: false, message: `must be a path without empty parts, \`.\` and \`..\`, not "${path}"` };
  }
  return { ok: true, network: { kind: "path", path }, text: path };
}

/** The kinds that a network of all addresses is not meant to hold, as worded in a sentence. Any other kind is ordinary. */
const SPECIAL: Readonly<Partial<Record<IpKind, string>>> = {
  loopback: "loopback",
  "link-local": "link-local",
  metadata: "a metadata service of a cloud",
  unspecified: "unspecified",
  multicast: "multicast",
  broadcast: "broadcast",
};

/**
 * The judge of a fleet. Without networks, everything is inside except special places: loopback, link-local, metadata
 * services and the like, where planes listen, and Unix sockets. With networks, only what they name is; a special address is
 * named only by a network that is wholly of its kind, and where a plane listens only by address and port.
 *
 * @param texts As `readBackendNetwork` spells them.
 * @param places What judges that look at the same targets share.
 */
export function backendJudge(
  texts: readonly string[],
  planes: readonly PlaneAddress[],
  places: Places = new WeakMap(),
): BackendJudge {
  const given = texts.map(readBackendNetwork).flatMap((read) => (read.ok ? [read.network] : []));
  const networks = given.flatMap((one) => (one.kind === "network" ? [one.network] : []));
  const paths = given.flatMap((one) => (one.kind === "path" ? [one.path] : []));
  const named = new Set(given.flatMap((one) => (one.kind === "address" ? [one.key] : [])));
  const taken = new Set(planes.flatMap(({ ip, port }) => placeKey(readIp(ip), port)));
  const judge = (target: Target): string | undefined => {
    if (target.kind === "pipe") {
      if (paths.some((path) => isBelow(target.path, path))) return undefined;
      return `${target.path} is a Unix socket of the proxy's machine and not among backendNetworks`;
    }
    const { address, special, place } = placeOf(target, places);
    const isPlane = place.some((key) => taken.has(key));
    if (texts.length === 0 && special === undefined && !isPlane) return undefined;
    if (named.size > 0 && address !== undefined && named.has(keyOf(address, target.port))) return undefined;
    if (isPlane) return `a plane listens on ${addressText(target)}, which is not among backendNetworks`;
    const names = (network: IpNetwork) => special === undefined || networkIs(network, special.kind);
    if (address !== undefined && networks.some((one) => networkHolds(one, address) && names(one))) return undefined;
    return `${target.ip} is ${special === undefined ? "" : `${special.what} and `}not among backendNetworks`;
  };
  // A change to one backend asks about all backends of its service.
  const known = new WeakMap<Target, string | null>();
  return (target) => {
    const verdict = known.get(target);
    if (verdict !== undefined) return verdict ?? undefined;
    const why = judge(target);
    known.set(target, why ?? null);
    return why;
  };
}

interface Place {
  /** Undefined where the target's text is not an address; it then lies nowhere. */
  readonly address: IpAddress | undefined;
  readonly special: { readonly kind: IpKind; readonly what: string } | undefined;
  /** The key that it is looked up by among the addresses of planes. */
  readonly place: readonly string[];
}

/** What targets' addresses are, found out once for all judges. */
export type Places = WeakMap<Target, Place>;

function placeOf(target: Target & { kind: "address" }, places: Places): Place {
  const known = places.get(target);
  if (known !== undefined) return known;
  const written = readIp(target.ip);
  const address = written && plain(written);
  const found: Place = { address, special: address && specialOf(address), place: placeKey(written, target.port) };
  places.set(target, found);
  return found;
}

/** An IPv6 address that a translator or a tunnel leads on to a special address is of a kind that no network names. */
function specialOf(address: IpAddress): Place["special"] {
  const kind = ipKind(address);
  const what = SPECIAL[kind];
  if (what !== undefined) return { kind, what };
  const inner = leadsTo(address);
  const hidden = inner === address ? undefined : SPECIAL[ipKind(inner)];
  return hidden === undefined ? undefined : { kind: ipKind(inner), what: `a way to ${inner.toString()}, ${hidden}` };
}

/** An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`) is that IPv4 address. */
function plain(ip: IpAddress): IpAddress {
  return ip instanceof ipaddr.IPv6 && ip.isIPv4MappedAddress() ? ip.toIPv4Address() : ip;
}

function keyOf(address: IpAddress, port: number): string {
  return `${address.toString()} ${port}`;
}

/** All loopback and unspecified addresses are one place: a plane that listens on any of them may be reached through another. */
function placeKey(ip: IpAddress | undefined, port: number): readonly string[] {
  if (ip === undefined) return [];
  const address = leadsTo(ip);
  const isMachine = ["loopback", "unspecified"].includes(ipKind(address));
  return [isMachine ? `machine ${port}` : keyOf(address, port)];
}

function isBelow(path: string, named: string): boolean {
  return path === named || (named.endsWith("/") && path.startsWith(named) && isPlainPath(path));
}

/** Whether a path leads where it says. */
function isPlainPath(path: string): boolean {
  return path
    .split("/")
    .slice(1)
    .every((part) => part !== "" && part !== "." && part !== "..");
}
