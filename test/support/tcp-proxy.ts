/** A wire between a client and a server on loopback that a test can cut without either end being told. */
import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Whether a connection leads through it. */
  isUsed(): boolean;
  /** Nothing passes any more, in either direction, and no connection is closed: as when a cable is pulled. */
  cut(): void;
  /** Every connection is reset, and so are new ones, until it is mended. */
  reset(): void;
  /**
   * What a client sends stays here from the first packet on in which a text occurs, until it is mended.
   * Returns once there is such a packet.
   */
  hold(text: string): Promise<void>;
  /** What was sent meanwhile arrives, as TCP does once the way is free again; connections that were made meanwhile go on. */
  mend(): void;
  /** What the server sends arrives with each occurrence of one text as another of the same length; nothing: as it was sent. */
  falsify(texts: { readonly from: string; readonly to: string } | undefined): void;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let isReset = false;
  let held: { readonly text: string; readonly taken: () => void } | undefined;
  let falsified: { readonly from: string; readonly to: string } | undefined;
  const pass = (data: Buffer) => {
    if (falsified === undefined) return data;
    const { from, to } = falsified;
    return Buffer.from(data.toString("latin1").replaceAll(from, to), "latin1");
  };
  const join = (from: Socket, to: Socket, change: (data: Buffer) => Buffer) => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (data: Buffer) => to.write(change(data)));
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    if (isCut) from.pause();
  };
  const server = createServer((client) => {
    if (isReset) {
      client.resetAndDestroy();
      return;
    }
    const target = connect(targetPort, "127.0.0.1");
    join(client, target, (data) => {
      if (held !== undefined && data.includes(held.text)) {
        held.taken();
        held = undefined;
        client.pause();
        target.cork();
      }
      return data;
    });
    join(target, client, pass);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    isUsed: () => sockets.size > 0,
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.pause();
    },
    reset: () => {
      isReset = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    mend: () => {
      isCut = false;
      isReset = false;
      for (const socket of sockets) {
        socket.uncork();
        socket.resume();
      }
    },
    hold: (text) =>
      new Promise((resolve) => {
        held = { text, taken: resolve };
      }),
    falsify: (texts) => {
      falsified = texts;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
