import type { LookupFunction } from "node:net";
import { readIp } from "../domain/ip-address.ts";
import type { Clock } from "../runtime/clock.ts";
import { repeat } from "../runtime/repeat.ts";

/** How often names are looked up again. */
const LOOK_UP_EVERY_MS = 30_000;

export interface Server {
  /** A name or an IP literal. */
  readonly host: string;
  readonly port: number;
}

/**
 * Where servers that are known by name are. A name that does not resolve for a while keeps the addresses that it had.
 *
 * @param servers Asked each time: servers come and go.
 */
export function followServers(servers: () => readonly Server[], lookup: LookupFunction, clock: Clock) {
  const found = new Map<string, readonly string[]>();
  const lookUp = () => {
    for (const { host } of servers()) {
      if (readIp(host) !== undefined) continue;
      lookup(host, { all: true }, (error, all) => {
        if (error === null && typeof all !== "string")
          found.set(
            host,
            Array.from(all, ({ address }) => address),
          );
      });
    }
  };
  lookUp();
  return {
    /** One entry for each address of each server; `ip` is absent while it is not known. */
    *list(): Iterable<{ readonly ip?: string; readonly port: number }> {
      for (const { host, port } of servers()) {
        const ips = readIp(host) === undefined ? found.get(host) : [host];
        if (ips === undefined) yield { port };
        else for (const ip of ips) yield { ip, port };
      }
    },
    stop: repeat(clock, () => LOOK_UP_EVERY_MS, lookUp),
  };
}
