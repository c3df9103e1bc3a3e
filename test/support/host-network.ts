/** Hosts of a test that can be cut off from everything else, by the best means that this machine has. */
import { startNamespaces } from "./namespaces.ts";
import type { NatsCluster } from "./nats.ts";
import { startWires } from "./wires.ts";

export interface HostNetwork extends AsyncDisposable {
  /** How its hosts are cut off. */
  readonly means: "network namespaces" | "TCP proxies";
  /** Where servers of the test have to listen to be reached by its hosts. */
  readonly address: string;
  /** @param nats What listens on `address`. */
  addHost(nats: NatsCluster): Promise<Host>;
}

export interface Host {
  /** The NATS servers as it reaches them. */
  readonly natsUrls: readonly string[];
  /** The words before a command that has to run on it. */
  readonly enter: readonly string[];
  /** Nothing passes any more, in either direction, and no end is told: as when a cable is pulled out of a switch. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/**
 * Each host is a network namespace of its own, which needs Linux, root, and `ip`. Elsewhere, and that is printed, it is no
 * more than its connections to NATS, which lead through proxies: cut off, it still reaches all others.
 */
export async function startHostNetwork(): Promise<HostNetwork> {
  try {
    const namespaces = await startNamespaces();
    return {
      means: "network namespaces",
      address: namespaces.address,
      addHost: async ({ urls }) => ({ natsUrls: urls, ...(await namespaces.add()) }),
      [Symbol.asyncDispose]: () => namespaces[Symbol.asyncDispose](),
    };
  } catch (error) {
    console.warn(`hosts can only be cut off from NATS, by TCP proxies: no network namespaces (${String(error)})`);
    return proxied();
  }
}

function proxied(): HostNetwork {
  const disposables = new AsyncDisposableStack();
  return {
    means: "TCP proxies",
    address: "127.0.0.1",
    addHost: async (nats) => {
      const wires = disposables.use(await startWires(nats));
      return {
        natsUrls: wires.urls,
        enter: [],
        cut: async () => wires.cut(),
        mend: async () => wires.mend(),
      };
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}
