import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/**
 * Connections that may wait to be accepted; the kernel's own bound (`net.core.somaxconn`) is lower. A fleet reconnects all
 * at once after a restart, and with Node's default of 511, which grpc-js cannot change, a client that does not fit tries
 * again only after a second.
 */
const BACKLOG = 65_535;

export type Listener = {
  readonly port: number;
  /** Accepts no more connections; open ones stay. */
  close(): void;
};

/** What a listener reports to. */
type Accepting = {
  accept(socket: Socket): void;
  /** A connection could not be accepted; the listener goes on. */
  failed(error: Error): void;
};

/**
 * Listens on every address of the host that this machine has.
 *
 * @throws Error when one of them cannot be bound, or there is none
 */
export async function listenOn(host: string, port: number, accepting: Accepting): Promise<Listener> {
  const servers: Server[] = [];
  const close = () => {
    for (const server of servers) server.close();
  };
  let bound = port;
  let foreign: unknown;
  try {
    for (const { address } of await lookup(host, { all: true })) {
      const server = createServer((socket) => accepting.accept(socket));
      try {
        bound = await bind(server, address, bound);
        server.on("error", (error) => accepting.failed(error));
        servers.push(server);
      } catch (error) {
        if (!isForeign(error)) throw error;
        foreign = error;
      }
    }
    if (servers.length === 0) throw foreign ?? new Error(`${host} has no address`);
  } catch (error) {
    close();
    throw error;
  }
  return { port: bound, close };
}

async function bind(server: Server, host: string, port: number): Promise<number> {
  server.listen({ host, port, backlog: BACKLOG });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A name may lead to addresses of a family that this machine does not have: `localhost` without IPv6. */
function isForeign(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(code);
}
