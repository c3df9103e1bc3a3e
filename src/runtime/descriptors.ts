import { closeSync, openSync } from "node:fs";
import { instrumentsOf } from "./instruments.ts";
import type { InstrumentedMachine } from "./machine.ts";
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
 *
 * @param open Opens something and closes it again; throws when that cannot be done.
 */
export function watchDescriptors(
  limit: number | undefined,
  { clock, registry, ...machine }: Pick<InstrumentedMachine, "clock" | "log" | "registry">,
  open: () => void = openNothing,
) {
  const log = machine.log.child({ component: "descriptors" });
  const counter = instrumentsOf(registry).counter(
    "fairlead_descriptors_exhausted_total",
    "How many times the check made each second found no descriptor left, so that new connections are closed unanswered.",
  );
  let since: number | undefined;
  const look = () => {
    try {
      open();
      since = undefined;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code !== "EMFILE" && code !== "ENFILE") return;
      since ??= clock.now();
      counter.inc();
      log.warn({ err: error, limit }, "no descriptor is left");
    }
  };
  const why = `the process has reached its limit of ${limit === undefined ? "" : `${limit} `}open files; raise the limit (LimitNOFILE= in a systemd unit, ulimit -n in a shell), or find out who opens so many connections`;
  return {
    /** One while none is left: since when, in milliseconds since the epoch, and what to do about it. */
    findings: () => (since === undefined ? [] : [{ what: "no file descriptor is left", since, why }]),
    stop: repeat(clock, () => LOOK_MS, look),
  };
}

function openNothing(): void {
  closeSync(openSync("/dev/null", "r"));
}
