import { lookup } from "node:dns/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** Connections that may wait to be accepted; the kernel's own bound (`net.core.somaxconn`) may be lower. */
const BACKLOG = 4_096;

export interface Listening {
  readonly port: number;
  /** Takes no more connections; those there are stay. */
  close(): void;
}

/**
 * Listens on every address of the host that this machine has.
 *
 * @throws Error when one of them cannot be bound, or there is none.
 */
export async function listenOn(host: string, port: number, accept: (socket: Socket) => void): Promise<Listening> {
  const servers: Server[] = [];
  const close = () => {
    for (const server of servers) server.close();
  };
  let bound = port;
  let foreign: unknown;
  try {
    for (const { address } of await lookup(host, { all: true })) {
      const server = createServer(accept);
      try {
        bound = await bind(server, address, bound);
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

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off("error", reject);
      // What cannot be accepted is lost to its client and to nobody else; a server without a listener would end the process.
      server.on("error", () => undefined);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** A name may lead to addresses of a family that this machine does not have: `localhost` without IPv6. */
function isForeign(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(code);
}
