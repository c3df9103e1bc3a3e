/** A small server that answers with its own name, over HTTP/1.1 or HTTP/2 without TLS. */
import { createServer as createHttp1, type Server } from "node:http";
import { createServer as createHttp2, type Http2Server, type ServerHttp2Session } from "node:http2";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Milliseconds since the epoch at which its head had arrived. */
  readonly arrivedAt: number;
}

export interface Backend extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  readonly requests: readonly SeenRequest[];
  /** What it does from now on: wait before each answer, and answer with which status. */
  behave(behaviour: { readonly delayMs?: number; readonly status?: number }): void;
  /** Requests that arrived and have no answer yet. */
  inFlight(): number;
  /** Closes the port and every connection at once, as a crash would. */
  stop(): Promise<void>;
}

export interface BackendOptions {
  readonly protocol?: "http1" | "http2";
  readonly port?: number;
  /** Default `127.0.0.1`; `0.0.0.0` answers on every address of the machine's loopback. */
  readonly host?: string;
}

/** The header in which a backend says who it is. */
export const BACKEND_HEADER = "x-backend";

export async function startBackend(name: string, options: BackendOptions = {}): Promise<Backend> {
  const requests: SeenRequest[] = [];
  const sessions = new Set<ServerHttp2Session>();
  let behaviour = { delayMs: 0, status: 200 };
  let inFlight = 0;

  const server: Server | Http2Server = options.protocol === "http2" ? createHttp2() : createHttp1();
  if (!("closeAllConnections" in server)) {
    server.on("session", (session) => {
      sessions.add(session);
      session.once("close", () => sessions.delete(session));
    });
  }
  // Closing idle connections would race with requests on them, which is no fault of who sent them.
  if ("keepAliveTimeout" in server) server.keepAliveTimeout = 0;
  server.on("request", (request, response) => {
    const { method = "", url: path = "", headers } = request;
    requests.push({ method, path, headers, arrivedAt: Date.now() });
    inFlight += 1;
    response.once("close", () => {
      inFlight -= 1;
    });
    const { delayMs, status } = behaviour;
    const answer = () => {
      response.writeHead(status, { [BACKEND_HEADER]: name, "content-type": "text/plain" });
      response.end(`${name}\n`);
    };
    if (delayMs === 0) answer();
    else setTimeout(answer, delayMs);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the backend listens on no port");

  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    if ("closeAllConnections" in server) server.closeAllConnections();
    for (const session of sessions) session.destroy();
    await closed;
  };
  return {
    name,
    port: bound.port,
    address: `127.0.0.1:${bound.port}`,
    requests,
    behave: (change) => {
      behaviour = { ...behaviour, ...change };
    },
    inFlight: () => inFlight,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
