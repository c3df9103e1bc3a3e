import { networkInterfaces } from "node:os";

/** The addresses of this machine's network interfaces, loopback among them; IPv6 ones without their zone. */
export function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
}
