import ipaddr from "ipaddr.js";
import { type Target, targetText } from "./backend.ts";
import { MAX_PIPE_PATH_BYTES, MAX_PORT, MIN_PORT } from "./limits.ts";
import {
  carriedAddress,
  type IpAddress,
  isIpLiteral,
  isWithin,
  readIp,
  type SpecialNetwork,
  specialNetwork,
} from "./special-networks.ts";

/** A part of where the backends of a fleet may lie: addresses, or Unix sockets on the proxies' machines. */
type BackendNetwork =
  | { readonly kind: "network"; readonly range: readonly [IpAddress, number] }
  /** One address and port. */
  | { readonly kind: "address"; readonly ip: string; readonly port: number }
  /** One socket, or with a `/` at its end all sockets below that directory. */
  | { readonly kind: "path"; readonly path: string };

/** Where a plane listens. */
export interface PlaneAddress {
  /** An IP literal. */
  readonly ip: string;
  readonly port: number;
}

/** Why a backend lies outside of what a fleet's proxies may reach; nothing for one that does not. */
export type BackendJudge = (target: Target) => string | undefined;

/** All that is not special, which is what a fleet has that names no networks. */
export const ORDINARY_NETWORKS = ["0.0.0.0/0", "::/0"] as const;
export const LOOPBACK_NETWORKS = ["127.0.0.0/8", "::1/128"] as const;

export type ReadNetwork =
  | { readonly ok: true; readonly network: BackendNetwork; readonly text: string }
  | { readonly ok: false; readonly message: string };

/**
 * Reads `10.0.0.0/8`, `fd00::/8`, `10.0.0.5:9001`, `/run/shop.sock` or `/run/shop/`; `text` in the result is its one
 * spelling.
 */
export function readNetwork(text: string): ReadNetwork {
  if (text.startsWith("/")) return readPath(text);
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text);
  if (match !== null) return readAddress(text, match[1] ?? match[2] ?? "", Number(match[3]));
  const [ip = "", digits = ""] = text.split("/");
  if (!isIpLiteral(ip) || !/^\d{1,3}$/.test(digits) || !ipaddr.isValidCIDR(text) || /^0\d/.test(digits)) {
    const forms =
      "a network such as 10.0.0.0/8 or fd00::/8, an address such as 10.0.0.5:9001 or a path such as /run/shop/";
    return { ok: false, message: `"${text}" is not ${forms}` };
  }
  const [address, bits] = ipaddr.parseCIDR(text);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) {
    return { ok: false, message: `"${text}" is IPv4 written as IPv6; write the IPv4 network` };
  }
  const isIpv4 = address instanceof ipaddr.IPv4;
  const network = isIpv4 ? ipaddr.IPv4.networkAddressFromCIDR(text) : ipaddr.IPv6.networkAddressFromCIDR(text);
  const spelling = `${network.toString()}/${bits}`;
  if (network.toString() !== address.toString()) {
    const one = `${address.toString()}/${isIpv4 ? 32 : 128}`;
    return { ok: false, message: `"${text}" is no network: write ${spelling}, or ${one} for the one address` };
  }
  return { ok: true, network: { kind: "network", range: [network, bits] }, text: spelling };
}

function readAddress(text: string, literal: string, port: number): ReadNetwork {
  if (!isIpLiteral(literal) || port < MIN_PORT || port > MAX_PORT) {
    return { ok: false, message: `"${text}" is not an IP literal and a port from ${MIN_PORT} to ${MAX_PORT}` };
  }
  const ip = readIp(literal).toString();
  return { ok: true, network: { kind: "address", ip, port }, text: targetText({ kind: "address", ip, port }) };
}

function readPath(path: string): ReadNetwork {
  if (path.includes("\0") || new TextEncoder().encode(path).length > MAX_PIPE_PATH_BYTES) {
    return { ok: false, message: `a path must have at most ${MAX_PIPE_PATH_BYTES} bytes, none of them zero` };
  }
  if (path !== "/" && !isPlainPath(path.replace(/\/$/, ""))) {
    return { ok: false, message: `"${path}" must be without empty parts, \`.\` and \`..\`` };
  }
  return { ok: true, network: { kind: "path", path }, text: path };
}

/**
 * The judge of a fleet. Without networks all is inside but what is special: loopback, link-local, metadata services and the
 * like, where planes listen, and Unix sockets. With networks, only what they name; something special is named only by a
 * network that lies within the special one, where a plane listens only by address and port.
 *
 * @param texts As `readNetwork` spells them.
 */
export function backendJudge(texts: readonly string[], planes: readonly PlaneAddress[]): BackendJudge {
  const networks = texts.map(readNetwork).flatMap((read) => (read.ok ? [read.network] : []));
  const ranges = networks.flatMap((network) => (network.kind === "network" ? [network.range] : []));
  const paths = networks.flatMap((network) => (network.kind === "path" ? [network.path] : []));
  const named = new Set(networks.flatMap((one) => (one.kind === "address" ? [`${one.ip} ${one.port}`] : [])));
  const taken = new Set(planes.map(({ ip, port }) => placeKey(readIp(ip), port)));
  const judge = (target: Target): string | undefined => {
    if (target.kind === "pipe") {
      if (paths.some((path) => isBelow(target.path, path))) return undefined;
      return `${target.path} is a Unix socket of the proxy's machine and not among backendNetworks`;
    }
    const place = placeOf(target);
    const { address, special } = place;
    const isPlane = taken.size > 0 && place.keys.some((key) => taken.has(key));
    if (texts.length === 0 && special === undefined && !isPlane) return undefined;
    if (named.size > 0 && named.has(`${address.toString()} ${target.port}`)) return undefined;
    if (isPlane) return `a plane listens on ${targetText(target)}, which is not among backendNetworks`;
    const least = special?.bits ?? 0;
    if (ranges.some((range) => range[1] >= least && isWithin(address, range))) return undefined;
    return `${target.ip} is ${special === undefined ? "" : `${special.what} and `}not among backendNetworks`;
  };
  // A change of one backend asks about all of its service.
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
  readonly address: IpAddress;
  readonly special: SpecialNetwork | undefined;
  /** As what it is looked for among the addresses of planes. */
  readonly keys: readonly string[];
}

/** What a target's address is, is found out once: a change looks through the backends of a whole service. */
const places = new WeakMap<Target, Place>();

function placeOf(target: Target & { kind: "address" }): Place {
  const known = places.get(target);
  if (known !== undefined) return known;
  const address = readIp(target.ip);
  const carried = carriedAddress(address);
  const keys = [address, ...(carried === undefined ? [] : [carried])].map((one) => placeKey(one, target.port));
  const place = { address, special: specialNetwork(address), keys };
  places.set(target, place);
  return place;
}

/** All loopback and unspecified addresses are one place: a plane that listens on any of them may be reached by another. */
function placeKey(address: IpAddress, port: number): string {
  const what = specialNetwork(address)?.what;
  const machine = what === "loopback" || what === "unspecified";
  return `${machine ? "machine" : address.toString()} ${port}`;
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
