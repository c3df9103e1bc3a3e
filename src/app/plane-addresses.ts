import { isIP } from "node:net";
import type { PlaneAddress } from "../domain/backend-networks.ts";
import type { Address } from "./address.ts";

/**
 * Where a plane that listens on these addresses can be reached: a wildcard means all of the machine's addresses.
 *
 * @param interfaces The machine's own addresses, loopback among them.
 */
export function planeAddresses(bound: readonly Address[], interfaces: readonly string[]): readonly PlaneAddress[] {
  return bound.flatMap(({ host, port }) => hostsOf(host, interfaces).map((ip) => ({ ip, port })));
}

function hostsOf(host: string, interfaces: readonly string[]): readonly string[] {
  if (host === "localhost") return ["127.0.0.1", "::1"];
  if (host === "0.0.0.0") return interfaces.filter((address) => isIP(address) === 4);
  // A socket that is bound to all IPv6 addresses accepts IPv4 as well.
  return host === "::" ? interfaces : [host];
}
