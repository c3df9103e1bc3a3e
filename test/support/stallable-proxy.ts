/** A TCP proxy that can stop passing bytes on without closing anything, as a peer does whose machine has gone. */
import { connect, createServer, type Socket } from "node:net";

export interface StallableProxy extends AsyncDisposable {
  /** `HOST:PORT` to connect to. */
  readonly address: string;
  stall(): void;
}

export async function startStallableProxy(target: string): Promise<StallableProxy> {
  const [host, port] = [target.slice(0, target.lastIndexOf(":")), Number(target.slice(target.lastIndexOf(":") + 1))];
  const sockets = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(port, host);
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    inner.pipe(outer).pipe(inner);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("not bound to a port");
  return {
    address: `127.0.0.1:${bound.port}`,
    stall: () => {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
