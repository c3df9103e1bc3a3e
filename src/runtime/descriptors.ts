import { closeSync, openSync } from "node:fs";
import { Counter, type Registry } from "prom-client";
import type { Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import { repeat } from "./repeat.ts";

/** How often to check whether a descriptor is left. */
const LOOK_MS = 1_000;
/** Descriptors for everything but connections to the ports: half of the limit, and at most this many. */
const MAX_OWN = 1_536;

/** The most connections on each port. */
export interface ConnectionShares {
  readonly http: number;
  readonly admin: number;
  readonly xds: number;
}

/**
 * Divides the descriptors of a process among its ports, so none can take what another needs: however many clients connect
 * elsewhere, `/healthz` answers. What is left is for files, the store, the other planes and the checks of backends.
 *
 * @param limit The limit of the process; if undefined, it bounds nothing.
 */
export function connectionShares(limit: number | undefined, wanted: ConnectionShares): ConnectionShares {
  if (limit === undefined) return wanted;
  const forPorts = limit - Math.min(MAX_OWN, Math.floor(limit / 2));
  const http = Math.min(wanted.http, Math.floor(forPorts / 8));
  const admin = Math.min(wanted.admin, Math.floor(forPorts / 8));
  return { http, admin, xds: Math.min(wanted.xds, forPorts - http - admin) };
}

/**
 * Notices that the process has no descriptor left. Nothing else can: the runtime silently closes a connection that it
 * cannot accept for want of one.
 */
export class DescriptorWatch {
  readonly #limit: number | undefined;
  readonly #open: () => void;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #counter: Counter;
  readonly stop: () => void;
  #since: number | undefined;

  /** @param open Opens something and closes it again; throws when that cannot be done. */
  constructor({
    limit,
    clock,
    log,
    registry,
    open = openNothing,
  }: {
    readonly limit: number | undefined;
    readonly clock: Clock;
    readonly log: Logger;
    readonly registry: Registry;
    readonly open?: () => void;
  }) {
    this.#limit = limit;
    this.#open = open;
    this.#clock = clock;
    this.#log = log.child({ component: "descriptors" });
    this.#counter = new Counter({
      name: "fairlead_descriptors_exhausted_total",
      help: "How often, looked at once a second, no descriptor was left: new connections are closed unheard.",
      registers: [registry],
    });
    this.stop = repeat(
      clock,
      () => LOOK_MS,
      () => this.#look(),
    );
  }

  /** Since when none has been left, in milliseconds since the epoch, and what to do about it. */
  exhausted(): { readonly since: number; readonly why: string } | undefined {
    if (this.#since === undefined) return undefined;
    const limit = this.#limit === undefined ? "its limit" : `its limit of ${this.#limit}`;
    return {
      since: this.#since,
      why: `the process has all descriptors open that it may, ${limit}; raise it (LimitNOFILE= of a unit, ulimit -n), or find who connects`,
    };
  }

  #look(): void {
    try {
      this.#open();
      this.#since = undefined;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code !== "EMFILE" && code !== "ENFILE") return;
      this.#since ??= this.#clock.now();
      this.#counter.inc();
      this.#log.warn({ err: error, limit: this.#limit }, "no descriptor is left");
    }
  }
}

function openNothing(): void {
  closeSync(openSync("/dev/null", "r"));
}
