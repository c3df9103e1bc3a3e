import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import type { Registry } from "prom-client";
import { ERROR_TABLE } from "../api/error-table.ts";
import { printable } from "../domain/printable.ts";
import type { Containment } from "../runtime/containment.ts";
import { hostOf } from "./requested-host.ts";

/** Connections at a time; probes and scrapers need a handful. */
export const MAX_HTTP_CONNECTIONS = 128;
/** The most bytes of all header lines of a request. */
const MAX_HEADER_BYTES = 8 * 1024;
/** The header of a request must arrive within this, the whole request within twice that; so must an answer be taken. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
const SILENT_MS = 10_000;
/** How often the server looks for connections that are too slow. */
const LOOK_MS = 1_000;

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  /** Connections at a time; more are closed at once. */
  readonly maxConnections: number;
  /** Which hosts a request may be for; absent: any. */
  readonly mayBeAskedAs?: ((host: string) => boolean) | undefined;
  readonly registry: Registry;
  /** Why this replica should get no proxies, or undefined. */
  readonly notReady: () => string | undefined;
  readonly containment: Containment;
}

/** Serves `/healthz` (the process runs), `/readyz` (it may be given proxies) and `/metrics` (Prometheus text). */
export async function startHttpServer(options: HttpServerOptions) {
  const { containment, mayBeAskedAs } = options;
  const app = new Hono();
  app.onError((error, context) => {
    containment.note("http", `${context.req.method} ${context.req.path}`, error);
    return context.text("internal error; the plane's log has more\n", ERROR_TABLE.bug.http);
  });
  app.use(async (context, next) => {
    const host = hostOf(context.req.header("host"));
    if (mayBeAskedAs === undefined || host === undefined || mayBeAskedAs(host)) return await next();
    return context.text(
      "this port serves its own machine only: use the name localhost or a loopback address; a request for another name may come from a web page that was led here\n",
      421,
    );
  });
  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", (context) => {
    const reason = options.notReady();
    if (reason === undefined) return context.text("ready\n");
    return context.text(`not ready: ${printable(reason)}\n`, ERROR_TABLE.unavailable.http);
  });
  const metrics = onceAtATime(() => options.registry.metrics());
  app.get("/metrics", async (context) =>
    context.body(await metrics(), 200, { "content-type": options.registry.contentType }),
  );
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: LOOK_MS,
    },
    getRequestListener(app.fetch),
  );
  server.maxConnections = options.maxConnections;
  server.setTimeout(SILENT_MS, (socket) => socket.destroy());
  server.listen(options.port, options.host);
  await once(server, "listening");
  server.on("error", (error) => containment.note("http", "a connection", error));
  return {
    /** The bound port. */
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Callers that ask while an answer is being made get that one. */
function onceAtATime<T>(make: () => Promise<T>): () => Promise<T> {
  let making: Promise<T> | undefined;
  return () => {
    making ??= make().finally(() => {
      making = undefined;
    });
    return making;
  };
}
