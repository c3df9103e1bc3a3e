import { createServer, type RequestOptions, request } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { Client, credentials, Server, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { backend, listener, route, service } from "../support/manifest.ts";
import { type Stack, startStack } from "../support/stack.ts";

// What docs/grpc-and-websockets.md says of streams, with a limit of the rule of one second in the place of 15.

const MESSAGES = 12;
const EVERY_MS = 200;
const LIMIT_MS = 1000;

const bytes = (buffer: Buffer) => buffer;
const method = (name: string, requestStream: boolean) => ({
  path: `/chat.v1.Chat/${name}`,
  requestStream,
  responseStream: true,
  ...{ requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes },
});
const CHAT = { watch: method("Watch", false), talk: method("Talk", true) };

interface Heard {
  readonly messages: number;
  /** Of the call; absent while it lives. */
  readonly code?: number;
}

describe("streams through a real Envoy", () => {
  let stack: Stack;

  beforeAll(async () => {
    const chat = await startChat();
    const web = await startWebsocketServer();
    const rule = (to: string, prefix: string, timeout: string) => ({
      match: { path: { prefix } },
      to: [{ service: to }],
      timeout,
    });
    stack = await startStack({
      objects: [
        service("chat", { protocol: "HTTP2" }),
        backend("chat/chat-1", chat.address),
        service("web"),
        backend("web/web-1", web.address),
        route("limited", [rule("chat", "/chat.v1.Chat", "1s"), rule("web", "/socket", "1s")], {
          hosts: ["limited.example"],
        }),
        route("endless", [rule("chat", "/chat.v1.Chat", "0s")], { hosts: ["endless.example"] }),
      ],
    });
    return async () => {
      await stack[Symbol.asyncDispose]();
      chat.stop();
      web.stop();
    };
  });

  const clientOf = (host: string) =>
    new Client(`127.0.0.1:${stack.port}`, credentials.createInsecure(), { "grpc.default_authority": host });

  test("a server stream outlives the limit of its rule, which is for the head of the answer", async () => {
    const [limited, endless] = ["limited.example", "endless.example"].map(clientOf) as [Client, Client];
    const startedAt = performance.now();
    const whole = await listen(limited.makeServerStreamRequest(CHAT.watch.path, bytes, bytes, Buffer.alloc(0)));
    expect(performance.now() - startedAt).toBeGreaterThan(LIMIT_MS);
    expect(whole).toEqual({ messages: MESSAGES, code: status.OK });
    const other = await listen(endless.makeServerStreamRequest(CHAT.watch.path, bytes, bytes, Buffer.alloc(0)));
    expect(other).toEqual({ messages: MESSAGES, code: status.OK });
    limited.close();
    endless.close();
  });

  test("one that the client has not ended is not cut by it", async () => {
    const limited = clientOf("limited.example");
    const call = limited.makeBidiStreamRequest(CHAT.talk.path, bytes, bytes);
    call.write(Buffer.from("hello"));
    expect(await listen(call)).toEqual({ messages: MESSAGES, code: status.OK });
    limited.close();
  });

  test("a websocket is not cut by it", async () => {
    const lived = await new Promise<number>((resolve, reject) => {
      const startedAt = performance.now();
      const headers = {
        ...{ host: "limited.example", connection: "Upgrade", upgrade: "websocket" },
        ...{ "sec-websocket-version": "13", "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==" },
      };
      const outgoing = request(stack.url("/socket"), { headers });
      outgoing.once("error", reject);
      outgoing.once("response", (response) => reject(new Error(`status ${response.statusCode}`)));
      outgoing.once("upgrade", (_, socket) => {
        let heard = 0;
        socket.on("data", (chunk: Buffer) => (heard += chunk.byteLength));
        socket.once("close", () => {
          if (heard === MESSAGES) resolve(performance.now() - startedAt);
          else reject(new Error(`cut after ${heard} messages`));
        });
      });
      outgoing.end();
    });
    expect(lived).toBeGreaterThan(LIMIT_MS);
  });
});

test("streams end that are silent for long, whatever pings there are, and Envoy's own drain time after their listener has gone", async () => {
  const server = createServer((_, response) => void response.writeHead(200).write("x"));
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => undefined);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nx");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [port, idle] = await Promise.all([freePort(), freePort()]);
  await using stack = await startStack({
    args: ["--drain-time-s", `${DRAIN_MS / 1000}`],
    objects: [
      listener("short", port, { drainTimeout: "0s" }),
      listener("idle", idle, { streamIdleTimeout: `${IDLE_MS / 1000}s` }),
      service("web"),
      backend("web/web-1", address),
      route("all", [{ to: [{ service: "web" }] }], { listeners: ["short", "idle"] }),
    ],
  });
  const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
  const ended = await Promise.all([opened({ port }), opened({ port, headers })]);
  let startedAt = performance.now();
  const session = connect(`http://127.0.0.1:${idle}`).on("error", () => undefined);
  const pings = setInterval(() => session.ping(() => undefined), IDLE_MS / 10);
  const silent = session.request({ ":path": "/" }).on("error", () => undefined);
  await new Promise((resolve) => silent.resume().once("close", resolve));
  expect(performance.now() - startedAt).toBeGreaterThan(IDLE_MS / 2);
  clearInterval(pings);
  session.destroy();
  startedAt = performance.now();
  await stack.plane.mustCli("delete", "listener", "short", "--force", "--wait");
  for (const { end } of ended) expect((await end) - startedAt).toBeGreaterThan(DRAIN_MS / 2);
  server.closeAllConnections();
  server.close();
});

const IDLE_MS = 1000;
/** Far from none, and from the default of ten minutes. */
const DRAIN_MS = 3000;

/** Resolves once something has come, to when the connection ends. */
function opened(options: RequestOptions): Promise<{ readonly end: Promise<number> }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", ...options });
    const follow = (stream: Readable) => {
      const end = new Promise<number>((told) => {
        stream.resume().on("error", () => undefined);
        stream.once("close", () => told(performance.now()));
      });
      resolve({ end });
    };
    outgoing.once("error", reject).once("response", follow);
    outgoing.once("upgrade", (_, socket) => follow(socket));
    outgoing.end();
  });
}

async function startChat() {
  const server = new Server();
  const speak = (call: { write(message: Buffer): unknown; end(): void }) =>
    every(
      () => call.write(Buffer.from("x")),
      () => call.end(),
    );
  server.addService(CHAT, {
    watch: (call: Parameters<typeof speak>[0]) => speak(call),
    talk: (call: { on(event: "data", run: () => void): void } & Parameters<typeof speak>[0]) =>
      call.on("data", () => speak(call)),
  });
  const port = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, bound: number) => (error === null ? resolve(bound) : reject(error));
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), done);
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

async function startWebsocketServer() {
  const server = createServer();
  server.on("upgrade", (_, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.on("error", () => undefined);
    every(
      () => socket.write("x"),
      () => socket.end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, stop: () => server.close() };
}

/** Does something so many times, then the last thing. */
function every(run: () => void, last: () => void): void {
  let times = 0;
  const timer = setInterval(() => {
    run();
    times += 1;
    if (times < MESSAGES) return;
    clearInterval(timer);
    last();
  }, EVERY_MS);
}

function listen(call: NodeJS.EventEmitter): Promise<Heard> {
  return new Promise((resolve) => {
    let messages = 0;
    call.on("data", () => (messages += 1));
    call.on("error", () => undefined);
    call.once("status", ({ code }: ServiceError) => resolve({ messages, code }));
  });
}
