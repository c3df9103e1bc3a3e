import { createServer, type Server } from "node:http";
import { portNear } from "./ports.ts";

/** One backend of the demo: answers everything with its own name. */
export interface ShopBackend {
  readonly name: string;
  readonly address: string;
  stop(): Promise<void>;
}

export async function startShopBackend(name: string, wantedPort: number): Promise<ShopBackend> {
  const port = await portNear(wantedPort);
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    response.end(`${name}\n`);
  });
  await listen(server, port);
  return {
    name,
    address: `127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The manifest of the demo, as a person would write it. */
export function shopManifest(backends: readonly ShopBackend[], listenerAddress: string): string {
  const objects = [
    `kind: Fleet
name: edge
`,
    `kind: Service
name: shop
healthCheck: { http: { path: /healthz }, interval: 1s, timeout: 1s, unhealthyThreshold: 3, healthyThreshold: 1 }
drainTime: 10s
`,
    ...backends.map(
      ({ name, address }) => `kind: Backend
name: shop/${name}
address: ${address}
`,
    ),
    `kind: Listener
name: web
fleet: edge
address: ${listenerAddress}
`,
    `kind: Route
name: shop
listeners: [web]
hosts: ["*"]
rules:
  - to: [{ service: shop }]
`,
  ];
  return objects.join("---\n");
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}
