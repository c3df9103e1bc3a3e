/** Many small servers in one process, a port each, for checks: they behave as they are told, and know when they were asked. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

const HEAD = "HTTP/1.1 200 OK\r\nconnection: close\r\n";

/** What a server does with a connection that is checked for `"status":"up"` in the body. */
export const BEHAVIOURS = {
  well: (socket: Socket) => socket.once("data", () => socket.end(`${HEAD}content-length: 15\r\n\r\n{"status":"up"}`)),
  slow: (socket: Socket) =>
    socket.once("data", () =>
      setTimeout(() => socket.end(`${HEAD}content-length: 15\r\n\r\n{"status":"up"}`), 100).unref(),
    ),
  hangs: () => undefined,
  resets: (socket: Socket) => socket.once("data", () => socket.resetAndDestroy()),
  closes: (socket: Socket) => socket.once("data", () => socket.end()),
  refuses: (socket: Socket) =>
    socket.once("data", () => socket.end("HTTP/1.1 503 Sorry\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")),
  lies: (socket: Socket) => socket.once("data", () => socket.end(`${HEAD}content-length: 17\r\n\r\n{"status":"down"}`)),
  smtp: (socket: Socket) => socket.end("220 mail.example ESMTP\r\n"),
} as const;

export type Behaviour = keyof typeof BEHAVIOURS;

export interface Target {
  readonly address: string;
  behaviour: Behaviour;
  /** Milliseconds since the epoch of each connection, in order. */
  readonly checks: readonly number[];
}

export interface Targets extends AsyncDisposable {
  readonly all: readonly Target[];
}

export async function startTargets(count: number, host = "127.0.0.1"): Promise<Targets> {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const all: Target[] = [];
  for (let i = 0; i < count; i++) {
    const checks: number[] = [];
    const server = createServer((socket) => {
      checks.push(Date.now());
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => sockets.delete(socket));
      BEHAVIOURS[target.behaviour](socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(0, host, resolve);
    });
    const target: Target = {
      address: `${host}:${(server.address() as AddressInfo).port}`,
      behaviour: "well",
      checks,
    };
    servers.push(server);
    all.push(target);
  }
  return {
    all,
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
