import { createServer, request, type Server } from "node:http";
import { connect as connectHttp2, createServer as createHttp2 } from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import { Client, credentials, status as grpcStatus, type StatusObject } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ENVOY_VERSIONS } from "../../scripts/components/envoy.ts";
import { deriveFleet } from "../../src/resources/derive-fleet.ts";
import { type Backend, startBackend } from "../support/backend.ts";
import { startEnvoy } from "../support/envoy.ts";
import { freePort } from "../support/free-port.ts";
import { objectsOf, stateOf } from "../support/state-of.ts";
import { staticBootstrap } from "../support/static-bootstrap.ts";
import { send, sendMany } from "../support/traffic.ts";

/** What proxies get of what nobody said: those of a fleet that is made now, and those of one from before there were profiles. */
describe.each(Object.values(ENVOY_VERSIONS))("the defaults of fleets, on Envoy %s", (version) => {
  const cleanups = new AsyncDisposableStack();
  let [port, oldPort]: [number?, number?] = [];
  let good: readonly Backend[] = [];
  let bad: readonly Backend[] = [];
  /** Requests that came to the backend that fails, by method. */
  const tried: string[] = [];
  /** What backends of gRPC were told of the time that their clients have. */
  const deadlines: unknown[] = [];

  beforeAll(async () => {
    [port, oldPort] = await Promise.all([freePort(), freePort()]);
    good = await Promise.all(["g1", "g2", "g3", "g4"].map((name) => startBackend(name)));
    bad = await Promise.all(["b1", "b2"].map((name) => startBackend(name)));
    for (const backend of [...good, ...bad]) cleanups.use(backend);
    for (const backend of bad) backend.behave({ status: 500 });
    const failing = await listening(
      createServer(({ method = "", url, socket }, response) => {
        tried.push(method);
        if (url === "/reset") socket.resetAndDestroy();
        else response.writeHead(503).end();
      }),
    );
    const streaming = await listening(createServer((_, response) => stream(response)));
    const calls = await listening(
      createHttp2(({ headers }, response) => {
        deadlines.push(headers["grpc-timeout"]);
        response.writeHead(200, { "content-type": "application/grpc" });
        stream(response, "\0\0\0\0\u0005tick\n");
      }),
    );
    const silent = await listening(createServer(() => undefined));
    const socket = await listening(
      createServer().on("upgrade", (_, upgraded) => {
        upgraded.on("error", () => undefined);
        upgraded.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        stream(upgraded);
      }),
    );
    const closed = await freePort();
    const service = (name: string, addresses: readonly string[], more: object = {}) => [
      { kind: "Service", name, ...more },
      ...addresses.map((address, i) => ({ kind: "Backend", name: `${name}/${i + 1}`, address })),
    ];
    const addressesOf = (backends: readonly Backend[]) => backends.map(({ address }) => address);
    const rule = (name: string, more: object = {}) => ({
      match: { path: { prefix: `/${name}` } },
      to: [{ service: name }],
      ...more,
    });
    const again = (prefix: string, retry: object) => ({
      match: { path: { prefix } },
      to: [{ service: "failing" }],
      rewrite: { prefix: prefix.endsWith("reset") ? "/reset" : "/" },
      retry: { attempts: 2, ...retry },
    });
    const state = stateOf(
      objectsOf([
        { kind: "Fleet", name: "edge", backendNetworks: ["127.0.0.0/8"], profile: 2 },
        { kind: "Listener", name: "web", fleet: "edge", address: `[::]:${port}` },
        { kind: "Fleet", name: "old", backendNetworks: ["127.0.0.0/8"] },
        { kind: "Listener", name: "web-old", fleet: "old", address: `[::]:${oldPort}` },
        ...service("three", addressesOf([...good.slice(0, 2), ...bad.slice(0, 1)])),
        ...service("lonely", addressesOf(bad.slice(1))),
        ...service("failing", [failing]),
        { kind: "Policy", name: "failing", outlierDetection: { disabled: true } },
        ...service("half", [`127.0.0.1:${closed}`, ...addressesOf(good.slice(0, 1))]),
        { kind: "Policy", name: "half", outlierDetection: { disabled: true } },
        ...service("streaming", [streaming]),
        ...service("calls", [calls], { protocol: "HTTP2" }),
        ...service("silent", [silent]),
        ...service("socket", [socket]),
        ...service("together", addressesOf(good)),
        {
          kind: "Policy",
          name: "together",
          algorithm: "MAGLEV",
          hashOn: [{ all: [{ header: "x-tenant" }, { header: "x-user" }] }],
        },
        ...service("first", addressesOf(good)),
        { kind: "Policy", name: "first", algorithm: "MAGLEV", hashOn: [{ header: "x-tenant" }, { header: "x-user" }] },
        {
          kind: "Route",
          name: "all",
          listeners: ["web", "web-old"],
          hosts: ["*"],
          rules: [
            ...["three", "lonely", "together", "first"].map((name) => rule(name)),
            rule("half", { retry: { attempts: 3 } }),
            ...["streaming", "calls", "silent", "socket"].map((name) => rule(name, { timeout: "0.5s" })),
            again("/default", {}),
            again("/default/reset", {}),
            again("/5xx", { on: ["5xx"] }),
            again("/5xx/reset", { on: ["5xx"] }),
            again("/unsafe", { on: ["5xx"], unsafe: true }),
          ],
        },
      ]),
    );
    for (const name of ["edge", "old"]) {
      const bootstrap = staticBootstrap(deriveFleet(state, { name }).resources);
      const envoy = cleanups.use(await startEnvoy({ version, bootstrap }));
      await envoy.ready();
    }
  });
  afterAll(() => cleanups.disposeAsync());
  beforeEach(() => {
    tried.length = 0;
  });

  const url = (path: string, host = "127.0.0.1") => `http://${host}:${port}${path}`;
  const oldUrl = (path: string, host = "[::1]") => `http://${host}:${oldPort}${path}`;

  async function listening(server: Server | NetServer): Promise<string> {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.defer(() => {
      if ("closeAllConnections" in server) server.closeAllConnections();
      server.close();
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test("a bad backend of three is left alone after some answers", async () => {
    const answers = await sendMany({ url: url("/three") }, 90);
    const failed = answers.filter(({ status }) => status !== 200);
    expect(failed.length).toBeGreaterThanOrEqual(5);
    expect(failed.length).toBeLessThanOrEqual(10);
  });

  test("the only backend is never left alone, bad as it is", async () => {
    const answers = await sendMany({ url: url("/lonely") }, 30);
    expect(answers.filter(({ status }) => status === 500).length).toBe(30);
  });

  test.each([
    ["POST", "/default", 1],
    ["POST", "/default/reset", 1],
    ["GET", "/default", 1],
    ["GET", "/5xx", 3],
    ["GET", "/5xx/reset", 3],
    ["DELETE", "/5xx", 3],
    ["POST", "/5xx", 1],
    ["POST", "/5xx/reset", 1],
    ["PATCH", "/5xx", 1],
    ["POST", "/unsafe", 3],
  ])("%s %s, which may have been processed, is sent %i times", async (method, path, times) => {
    expect((await send({ url: url(path), method })).status).toBe(503);
    expect(tried).toEqual(Array.from({ length: times }, () => method));
  });

  test("a POST whose connection is not made is sent to another backend", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => send({ url: url("/half"), method: "POST" })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  test("a listener on [::] takes both families", async () => {
    expect(await send({ url: url("/together", "127.0.0.1") })).toMatchObject({ status: 200 });
    expect(await send({ url: url("/together", "[::1]") })).toMatchObject({ status: 200 });
  });

  test("of several hash keys the first counts, and those in `all` count together", async () => {
    const backendsOf = async (path: string) => {
      const users = Array.from({ length: 20 }, (_, i) => `user-${i}`);
      const ask = (user: string) => send({ url: url(path), headers: { "x-tenant": "t", "x-user": user } });
      return new Set((await Promise.all(users.map(ask))).map(({ backend }) => backend)).size;
    };
    expect(await backendsOf("/first")).toBe(1);
    expect(await backendsOf("/together")).toBeGreaterThan(2);
  });

  test("an answer that has begun goes on beyond the limit of its request", async () => {
    const { status, body } = await send({ url: url("/streaming") });
    expect([status, body]).toEqual([200, "tick\n".repeat(TICKS)]);
  });

  test("a request that nobody answers ends at its limit", async () => {
    const answer = await send({ url: url("/silent") });
    expect(answer.status).toBe(504);
    expect(answer.endedAt - answer.startedAt).toBeGreaterThan(450);
  });

  test("a server stream goes on beyond the limit, and ends at the deadline of its client", async () => {
    expect(await call(url(""))).toMatchObject({ status: "200", ticks: TICKS });
    expect(await call(url(""), { "grpc-timeout": "100m" })).toMatchObject({ ticks: 1 });
    expect(deadlines.at(-1)).toBe("100m");
  });

  describe("a fleet from before there were profiles", () => {
    test("leaves a bad backend of three where it is", async () => {
      const answers = await sendMany({ url: oldUrl("/three") }, 90);
      expect(answers.filter(({ status }) => status !== 200).length).toBe(30);
    });

    test.each([
      ["POST", "/default"],
      ["POST", "/default/reset"],
      ["GET", "/default"],
      ["POST", "/5xx"],
    ])("has %s %s sent again, which may have been processed", async (method, path) => {
      expect((await send({ url: oldUrl(path), method })).status).toBe(503);
      expect(tried).toEqual([method, method, method]);
    });

    test("has no IPv4 on [::]", async () => {
      expect(await send({ url: oldUrl("/together") })).toMatchObject({ status: 200 });
      expect(await send({ url: oldUrl("/together", "127.0.0.1") })).toMatchObject({ status: 0 });
    });

    test("cuts an answer at the limit of its request, and a server stream with INTERNAL, whatever its client's deadline", async () => {
      expect(await send({ url: oldUrl("/streaming") })).toMatchObject({ status: 0 });
      const client = new Client(new URL(oldUrl("")).host, credentials.createInsecure());
      const bytes = (buffer: Buffer) => buffer;
      const under = client.makeServerStreamRequest("/calls", bytes, bytes, Buffer.alloc(0));
      const { code } = await new Promise<StatusObject>((resolve) => {
        under.on("data", () => undefined).on("error", () => undefined);
        under.once("status", resolve);
      });
      client.close();
      expect(code).toBe(grpcStatus.INTERNAL);
      const deaf = await call(oldUrl(""), { "grpc-timeout": "100m" });
      expect(deaf.ticks).toBeGreaterThan(1);
      expect(deaf.ticks).toBeLessThan(TICKS);
      expect(deadlines.at(-1)).toBe("100m");
    });
  });

  test.each([
    ["profile 1", () => oldUrl("")],
    ["profile 2", () => url("")],
  ])("in %s the limit cuts no websocket, nor a call whose client has not said its last word", async (_, at) => {
    expect(await call(at(), {}, { end: false })).toMatchObject({ status: "200", ticks: TICKS });
    const headers = { connection: "Upgrade", upgrade: "websocket" };
    const ticks = await new Promise<number>((resolve, reject) => {
      const outgoing = request(`${at()}/socket`, { headers: { ...headers, "sec-websocket-version": "13" } });
      outgoing.once("error", reject).once("response", ({ statusCode }) => reject(new Error(`status ${statusCode}`)));
      outgoing.once("upgrade", (_answer, socket, head) => {
        let heard = String(head);
        socket.on("data", (chunk) => {
          heard += String(chunk);
        });
        socket.once("close", () => resolve(heard.split("tick").length - 1));
      });
      outgoing.end();
    });
    expect(ticks).toBe(TICKS);
  });

  function call(
    at: string,
    headers: Readonly<Record<string, string>> = {},
    { end = true } = {},
  ): Promise<{ status: string; ticks: number }> {
    const session = connectHttp2(at);
    const sent = { ":method": "POST", ":path": "/calls", "content-type": "application/grpc", te: "trailers" };
    return new Promise((resolve) => {
      let [status, body] = ["", ""];
      const under = session.request({ ...sent, ...headers });
      under.on("response", (answer) => {
        status = String(answer[":status"]);
      });
      under.on("data", (bytes) => {
        body += String(bytes);
      });
      under.on("error", () => undefined);
      under.once("close", () => {
        session.close();
        resolve({ status, ticks: body.split("tick").length - 1 });
      });
      if (end) under.end();
    });
  }
});

/** Longer than the limit of a request, all together. */
const TICKS = 6;
const TICK_MS = 250;

function stream(response: { write(chunk: string): unknown; end(): unknown }, text = "tick\n"): void {
  let left = TICKS;
  const tick = () => {
    response.write(text);
    left -= 1;
    if (left > 0) setTimeout(tick, TICK_MS);
    else response.end();
  };
  tick();
}
