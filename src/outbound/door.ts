import { type Stats, statSync } from "node:fs";
import { connect as connectTcp, isIP, type LookupFunction, Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { Target } from "../domain/backend.ts";
import { ControlPlaneError } from "../domain/errors.ts";
import { judgeAddress, type OutboundRules, type ProtectedPort, type Purpose } from "./judge.ts";

/** Where a connection goes: an address, a host and a port, or the path of a Unix socket. */
export type Destination = Target | { readonly kind: "host"; readonly host: string; readonly port: number };

export interface OutboundDoorOptions extends Omit<OutboundRules, "ports"> {
  /** Ports that nobody is led to; asked at each connection. */
  readonly ports: () => Iterable<ProtectedPort>;
  /** The user of the process; undefined where users have no numeric ids. */
  readonly userId: number | undefined;
  readonly lookup: LookupFunction;
}

/**
 * The one door through which the plane connects to what configuration asks for (law 18). The address is judged at the moment
 * of the connection, and the connection goes to that very address: a name that leads elsewhere a moment later gains nothing.
 */
export class OutboundDoor {
  readonly #options: OutboundDoorOptions;

  constructor(options: OutboundDoorOptions) {
    this.#options = options;
  }

  /**
   * Opens a connection, over TLS where `tls` is given. All errors come as events; that of this door is a ControlPlaneError `denied` /
   * `OUTBOUND_REFUSED`, and then nothing was sent.
   */
  connect(to: Destination, purpose: Purpose, tls?: ConnectionOptions): Socket {
    const objection = this.#judge(to, purpose);
    if (objection !== undefined) return new Socket().destroy(refused(objection));
    const options =
      to.kind === "pipe"
        ? { path: to.path }
        : { host: hostOf(to), port: to.port, lookup: this.#lookupFor(to.port, purpose) };
    return tls === undefined ? connectTcp({ ...options, noDelay: true }) : connectTls({ ...options, ...tls });
  }

  #judge(to: Destination, purpose: Purpose): string | undefined {
    if (to.kind === "pipe") return this.#judgePipe(to.path);
    const host = hostOf(to);
    // A name is judged by what it leads to, in `#lookupFor`.
    return isIP(host) === 0 ? undefined : this.#judgeIp(host, to.port, purpose);
  }

  #judgeIp(ip: string, port: number, purpose: Purpose): string | undefined {
    return judgeAddress({ ip, port }, purpose, { ...this.#options, ports: this.#options.ports() });
  }

  /** Node connects only to addresses that this gives it. An IP literal is not looked up. */
  #lookupFor(port: number, purpose: Purpose): LookupFunction {
    return (host, options, callback) => {
      this.#options.lookup(host, { ...options, all: true }, (error, found) => {
        const all = typeof found === "string" ? [] : found;
        const objections = all.map(({ address }) => this.#judgeIp(address, port, purpose));
        const open = all.filter((_, i) => objections[i] === undefined);
        const [first] = open;
        if (error !== null) callback(error, "");
        else if (first === undefined)
          callback(refused(`${host} resolves to nothing that is allowed: ${objections.join("; ")}`), "");
        else if (options.all === true) callback(null, open);
        else callback(null, first.address, first.family);
      });
    };
  }

  #judgePipe(path: string): string | undefined {
    if (!this.#options.listensOnLoopbackOnly) {
      return `${path} is a socket of this machine, and the plane listens beyond loopback`;
    }
    try {
      const found = statSync(path, { throwIfNoEntry: false });
      // A socket that does not exist fails when it is connected to.
      if (found === undefined || mayOpen(found, this.#options.userId)) return undefined;
    } catch (error) {
      return `${path} cannot be examined: ${error instanceof Error ? error.message : String(error)}`;
    }
    return `${path} belongs to another user or to root, and is not writable by everyone`;
  }
}

/**
 * The plane lends nobody its own rights: it opens a socket that everybody may open, or its own user's. But never root's,
 * even if the plane runs as root: a container engine's is one.
 */
function mayOpen({ mode, uid }: Stats, userId: number | undefined): boolean {
  const EVERYBODY_MAY_WRITE = 0o002;
  return (mode & EVERYBODY_MAY_WRITE) !== 0 || (uid === userId && userId !== 0);
}

function hostOf(to: Exclude<Destination, { kind: "pipe" }>): string {
  return to.kind === "host" ? to.host : to.ip;
}

function refused(why: string): ControlPlaneError {
  return new ControlPlaneError({ kind: "denied", code: "OUTBOUND_REFUSED", message: `refused by the plane: ${why}` });
}
