import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import type { Registry } from "prom-client";
import { printable } from "../domain/printable.ts";

export interface HttpServer {
  /** The bound port. */
  readonly port: number;
  stop(): Promise<void>;
}

/** What the HTTP port serves. `notReady` gives the reason why this replica should get no proxies, or nothing. */
export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  readonly notReady: () => string | undefined;
}

/** Serves `/healthz` (the process runs), `/readyz` (it may be given proxies) and `/metrics` (Prometheus text). */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const app = new Hono();
  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", (context) => {
    const reason = options.notReady();
    return reason === undefined ? context.text("ready\n") : context.text(`not ready: ${printable(reason)}\n`, 503);
  });
  app.get("/metrics", async (context) =>
    context.body(await options.registry.metrics(), 200, { "content-type": options.registry.contentType }),
  );
  const server = createServer(getRequestListener(app.fetch));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
