import { createServer } from "node:http";

/** One backend of the demo: answers everything with its own name. */
export interface ShopBackend {
  readonly service: string;
  readonly name: string;
  readonly address: string;
  stop(): Promise<void>;
}

/** @throws Error when the port is taken. */
export async function startShopBackend(service: string, name: string, port: number): Promise<ShopBackend> {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    response.end(`${name}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    service,
    name,
    address: `127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
