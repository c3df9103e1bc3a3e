/** The way of one client to the servers of a cluster, which a test can cut and mend. */
import type { NatsCluster } from "./nats.ts";
import { startTcpProxy } from "./tcp-proxy.ts";

export interface Wires extends AsyncDisposable {
  /** For the client. The cluster must not advertise its servers, or it would find other ways. */
  readonly urls: readonly string[];
  /** The server that the client is connected to. */
  used(): number;
  /** All of them, or the one to a server. */
  cut(server?: number): void;
  mend(): void;
}

export async function startWires({ servers }: NatsCluster): Promise<Wires> {
  const proxies = await Promise.all(servers.map(({ url }) => startTcpProxy(Number(new URL(url).port))));
  return {
    urls: proxies.map(({ port }) => `nats://127.0.0.1:${port}`),
    used: () => proxies.findIndex((proxy) => proxy.isUsed()),
    cut: (server) => {
      for (const [i, proxy] of proxies.entries()) if (server === undefined || server === i) proxy.cut();
    },
    mend: () => {
      for (const proxy of proxies) proxy.mend();
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
    },
  };
}
