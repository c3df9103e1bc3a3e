import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { Counter, Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isLoopback } from "../../../src/app/address.ts";
import { MAX_HTTP_CONNECTIONS, startHttpServer } from "../../../src/dashboard/http-server.ts";
import { testContainment } from "../../support/plane-context.ts";

const registry = new Registry();
const failing = new Counter({
  name: "failing",
  help: "Fails when it is told to.",
  registers: [registry],
  collect() {
    if (isFailing) throw new Error("no figure");
  },
});
failing.inc(0);
let isFailing = false;
const containment = testContainment();
let server: Awaited<ReturnType<typeof startHttpServer>>;

beforeAll(async () => {
  server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    maxConnections: MAX_HTTP_CONNECTIONS,
    mayBeAskedAs: isLoopback,
    registry,
    notReady: () => undefined,
    containment,
  });
});
afterAll(() => server.stop());

const get = (path: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number; text: string }>((resolve, reject) => {
    request({ host: "127.0.0.1", port: server.port, path, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    })
      .on("error", reject)
      .end();
  });

test.each(["localhost", "localhost:18002", "127.0.0.1", "127.9.9.9:1", "[::1]:18002", "LOCALHOST."])(
  "on loopback it answers as %s",
  async (host) => {
    expect(await get("/healthz", { host })).toEqual({ status: 200, text: "ok\n" });
  },
);

test.each([
  "evil.example",
  "evil.example:18002",
  "localhost.evil.example",
  "10.0.0.1",
  "127.0.0.1.evil.example",
  "[::2]",
])("a page that was led here under the name %s gets nothing", async (host) => {
  for (const path of ["/metrics", "/readyz", "/healthz", "/none"]) {
    const answer = await get(path, { host });
    expect(answer.status).toBe(421);
    expect(answer.text).toContain("use the name localhost");
  }
});

test("what fails is answered with 500, told apart, and harms nothing else", async () => {
  isFailing = true;
  expect((await get("/metrics")).status).toBe(500);
  isFailing = false;
  expect(containment.failures()).toMatchObject([{ source: "http", input: "GET /metrics", message: "no figure" }]);
  expect((await get("/metrics")).text).toContain("failing 0");
});

test("long headers are refused", async () => {
  expect((await get("/healthz", { long: "x".repeat(9_000) })).status).toBe(431);
});

test("connections beyond the bound are closed, and those that send nothing end by themselves", async () => {
  const sockets = await Promise.all(
    Array.from({ length: 200 }, () => {
      const socket = connect(server.port, "127.0.0.1").on("error", () => undefined);
      return new Promise<Socket>((resolve) => socket.once("connect", () => resolve(socket)));
    }),
  );
  let open = sockets.length;
  for (const socket of sockets) socket.once("close", () => (open -= 1)).resume();
  await expect.poll(() => open).toBeLessThanOrEqual(128);
  for (const socket of sockets) socket.write("GET /healthz HTTP/1.1\r\n");
  await expect.poll(() => open, { timeout: 12_000 }).toBe(0);
  expect((await get("/healthz")).status).toBe(200);
}, 20_000);
