import type { LookupFunction } from "node:net";
import { readIp } from "../domain/ip-address.ts";
import type { Clock } from "../runtime/clock.ts";

/** How often names are looked up again. */
const LOOK_UP_EVERY_MS = 30_000;

export interface Server {
  /** A name or an IP literal. */
  readonly host: string;
  readonly port: number;
}

export interface ServerAddressesOptions {
  /** Asked each time: servers come and go. */
  readonly servers: () => readonly Server[];
  readonly lookup: LookupFunction;
  readonly clock: Pick<Clock, "after">;
}

/** Where servers that are known by name are. A name that does not resolve for a while keeps the addresses that it had. */
export class ServerAddresses {
  readonly #options: ServerAddressesOptions;
  readonly #found = new Map<string, readonly string[]>();
  #cancel: () => void = () => undefined;

  constructor(options: ServerAddressesOptions) {
    this.#options = options;
    this.#lookUp();
  }

  /** One entry for each address of each server; `ip` is absent while it is not known. */
  *list(): Iterable<{ readonly ip?: string; readonly port: number }> {
    for (const { host, port } of this.#options.servers()) {
      const ips = readIp(host) === undefined ? this.#found.get(host) : [host];
      if (ips === undefined) yield { port };
      else for (const ip of ips) yield { ip, port };
    }
  }

  stop(): void {
    this.#cancel();
  }

  #lookUp(): void {
    const { servers, lookup, clock } = this.#options;
    for (const { host } of servers()) {
      if (readIp(host) !== undefined) continue;
      lookup(host, { all: true }, (error, found) => {
        if (error === null && typeof found !== "string")
          this.#found.set(
            host,
            found.map(({ address }) => address),
          );
      });
    }
    this.#cancel = clock.after(LOOK_UP_EVERY_MS, () => this.#lookUp());
  }
}
