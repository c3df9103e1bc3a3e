/** Probers against real sockets that behave well, badly and deceptively. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { createServer as createHttp2, createSecureServer as createHttps2, type ServerHttp2Stream } from "node:http2";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import type { HealthCheck, Probe } from "../../src/domain/health-check.ts";
import { createSocketProber } from "../../src/health/socket-prober.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { outboundDoor } from "../support/outbound-door.ts";
import { tempFolder } from "../support/temp-folder.ts";

const broken: unknown[] = [];
const prober = createSocketProber({
  clock: systemClock,
  door: outboundDoor(),
  containment: { note: (...noted) => broken.push(noted) },
});
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const HTTP = {
  kind: "http",
  method: "GET",
  path: "/healthz",
  host: "",
  headers: {},
  expectedStatuses: [{ first: 200, last: 299 }],
  expectedBody: "",
  tls: undefined,
} as const;
const TCP = { kind: "tcp", send: new Uint8Array(), expect: new Uint8Array() } as const;
const GRPC = { kind: "grpc", service: "", authority: "", tls: undefined } as const;
const certificate = selfSigned("shop.example");
const tls = { serverName: "shop.example", verify: true, trustedCertificates: "" };
const trusting = { ...tls, trustedCertificates: certificate.cert };
const utf8 = (text: string) => new TextEncoder().encode(text);

function probe(port: number, by: Probe, timeoutMs = 5000, signal = new AbortController().signal) {
  const check: HealthCheck = {
    probe: by,
    intervalMs: 60_000,
    timeoutMs,
    unhealthyThreshold: 3,
    healthyThreshold: 2,
    jitterRatio: 0,
    changingIntervalMs: 1000,
    initial: "PENDING",
    addedAt: undefined,
  };
  return prober.probe({ kind: "address", ip: "127.0.0.1", port }, check, signal);
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** A server that does with each connection what it is told. */
const tcp = (handle: (socket: Socket) => void) => listen(createTcp(handle));
/** Answers every request with these bytes, and closes. */
const says = (text: string) => tcp((socket) => socket.once("data", () => socket.end(text)));

async function closedPort(): Promise<number> {
  const server = createTcp();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("an HTTP check", () => {
  it("passes on an expected status", async () => {
    const port = await listen(createHttp((_, response) => response.end("fine")));
    expect(await probe(port, HTTP)).toMatchObject({ outcome: "pass", reason: "HTTP 200" });
  });

  it("sends the method, path, host and headers that are asked for", async () => {
    const seen: unknown[] = [];
    const port = await listen(
      createHttp(({ method, url, headers }, response) => {
        seen.push({ method, url, host: headers.host, key: headers["x-key"] });
        response.end();
      }),
    );
    await probe(port, { ...HTTP, method: "HEAD", path: "/a?b=c", host: "shop.example", headers: { "x-key": "v" } });
    expect(seen).toEqual([{ method: "HEAD", url: "/a?b=c", host: "shop.example", key: "v" }]);
  });

  it.each([503, 404, 301])("fails on status %i", async (status) => {
    const port = await listen(createHttp((_, response) => response.writeHead(status).end()));
    expect(await probe(port, HTTP)).toMatchObject({ outcome: "fail", reason: `HTTP ${status}`, ambiguous: false });
  });

  it.each([
    [404, "pass"],
    [418, "fail"],
    [200, "fail"],
  ])("compares status %i with the expected ranges", async (status, outcome) => {
    const port = await listen(createHttp((_, response) => response.writeHead(status).end()));
    const expectedStatuses = [
      { first: 300, last: 399 },
      { first: 404, last: 404 },
    ];
    expect(await probe(port, { ...HTTP, expectedStatuses })).toMatchObject({ outcome });
  });

  it("waits for an answer that is slow but in time", async () => {
    const port = await listen(createHttp((_, response) => setTimeout(() => response.end(), 150)));
    const seen = await probe(port, HTTP);
    expect(seen).toMatchObject({ outcome: "pass" });
    expect(seen?.durationMs).toBeGreaterThanOrEqual(140);
  });

  it("finds the expected text anywhere in the body, however it is cut up", async () => {
    const port = await listen(
      createHttp((_, response) => {
        response.write("status: o");
        setTimeout(() => response.end("k, all is well"), 20);
      }),
    );
    expect(await probe(port, { ...HTTP, expectedBody: "status: ok" })).toMatchObject({ outcome: "pass" });
  });

  it("fails when the body lies", async () => {
    const port = await listen(createHttp((_, response) => response.end('{"status":"down"}')));
    const seen = await probe(port, { ...HTTP, expectedBody: '"status":"up"' });
    expect(seen).toMatchObject({ outcome: "fail", reason: "HTTP 200, but the body does not match", ambiguous: false });
  });

  it("reads no more of an endless body than the stated bytes", async () => {
    const port = await listen(
      createHttp((_, response) => {
        const timer = setInterval(() => response.write("x".repeat(8192)), 1);
        response.once("close", () => clearInterval(timer));
      }),
    );
    expect(await probe(port, HTTP)).toMatchObject({ outcome: "pass" });
  });

  it("tells a degraded backend by its header", async () => {
    const port = await listen(createHttp((_, response) => response.setHeader("x-envoy-degraded", "1").end()));
    expect(await probe(port, HTTP)).toMatchObject({ outcome: "degraded" });
  });

  it("names a refused connection", async () => {
    const seen = await probe(await closedPort(), HTTP);
    expect(seen).toMatchObject({ outcome: "fail", reason: "connection refused", ambiguous: false });
  });

  it("names a reset", async () => {
    const port = await tcp((socket) => socket.once("data", () => socket.resetAndDestroy()));
    expect(await probe(port, HTTP)).toMatchObject({ reason: "connection reset", ambiguous: false });
  });

  it("names a connection that closes without an answer", async () => {
    const port = await tcp((socket) => socket.once("data", () => socket.end()));
    expect(await probe(port, HTTP)).toMatchObject({ reason: "connection closed without an answer", ambiguous: false });
  });

  it("calls a timeout ambiguous when nothing came", async () => {
    const port = await tcp(() => undefined);
    const seen = await probe(port, HTTP, 100);
    expect(seen).toMatchObject({ outcome: "fail", reason: "timeout after 100 ms", ambiguous: true });
  });

  it("calls a timeout evidence when an answer had begun", async () => {
    const port = await tcp((socket) => socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\n")));
    expect(await probe(port, HTTP, 300)).toMatchObject({ reason: "timeout after 300 ms", ambiguous: false });
  });

  it("fails on another protocol", async () => {
    const port = await says("220 mail.example ESMTP\r\n");
    expect(await probe(port, HTTP)).toMatchObject({ reason: "the answer is not HTTP/1.1", ambiguous: false });
  });

  it("fails when the body breaks off", async () => {
    const port = await says("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort");
    expect(await probe(port, HTTP)).toMatchObject({ reason: "HTTP 200, but the body ends early" });
  });

  it("leaves no connection behind when it is aborted", async () => {
    let open = 0;
    const port = await tcp((socket) => {
      open += 1;
      socket.resume().once("close", () => {
        open -= 1;
      });
    });
    const controller = new AbortController();
    const running = probe(port, HTTP, 10_000, controller.signal);
    await expect.poll(() => open).toBe(1);
    controller.abort(new Error("stop"));
    await expect(running).rejects.toThrow("stop");
    await expect.poll(() => open).toBe(0);
  });
});

describe("an HTTPS check", () => {
  async function serveTls() {
    const names: unknown[] = [];
    const server = createHttps(certificate, (request, response) => {
      names.push((request.socket as TLSSocket).servername);
      response.end();
    });
    return { port: await listen(server), names };
  }

  it("passes with a trusted certificate for the name, and sends the name", async () => {
    const { port, names } = await serveTls();
    expect(await probe(port, { ...HTTP, tls: trusting })).toMatchObject({ outcome: "pass" });
    expect(names).toEqual(["shop.example"]);
  });

  it("fails for another name", async () => {
    const { port } = await serveTls();
    const other = { ...trusting, serverName: "pay.example" };
    expect(await probe(port, { ...HTTP, tls: other })).toMatchObject({ reason: "certificate is for another name" });
  });

  it("fails without trust, unless verification is off", async () => {
    const { port } = await serveTls();
    expect(await probe(port, { ...HTTP, tls })).toMatchObject({ reason: "certificate is self-signed" });
    expect(await probe(port, { ...HTTP, tls: { ...tls, verify: false } })).toMatchObject({ outcome: "pass" });
  });

  it("fails on a server without TLS", async () => {
    const port = await listen(createHttp((_, response) => response.end()));
    const seen = await probe(port, { ...HTTP, tls });
    expect(seen).toMatchObject({ outcome: "fail", ambiguous: false });
    expect(seen?.reason).toMatch(/^TLS handshake failed/);
  });
});

describe("a TCP check", () => {
  it("passes when the connection opens", async () => {
    expect(await probe(await tcp(() => undefined), TCP)).toMatchObject({ outcome: "pass", reason: "connected" });
  });

  it("sends, and finds what it expects", async () => {
    const port = await tcp((socket) => socket.on("data", (data: Buffer) => socket.write(`+${data.toString()}`)));
    const seen = await probe(port, { ...TCP, send: utf8("PING"), expect: utf8("+PING") });
    expect(seen).toMatchObject({ outcome: "pass" });
  });

  it("fails when something else comes", async () => {
    const port = await tcp((socket) => socket.write("-LOADING"));
    const seen = await probe(port, { ...TCP, expect: utf8("+PONG") }, 300);
    expect(seen).toMatchObject({ outcome: "fail", ambiguous: false });
  });

  it("fails when the connection closes early", async () => {
    const port = await tcp((socket) => socket.end());
    const seen = await probe(port, { ...TCP, expect: utf8("+PONG") });
    expect(seen).toMatchObject({ reason: "connection closed before the expected bytes arrived" });
  });

  it("names a refused connection", async () => {
    expect(await probe(await closedPort(), TCP)).toMatchObject({ reason: "connection refused", ambiguous: false });
  });
});

describe("a gRPC check", () => {
  /** A health server as the protocol has it: a serving status for each service it knows. */
  function serve(answers: Readonly<Record<string, number>>, server: Server = createHttp2()) {
    server.on("stream", (stream: ServerHttp2Stream) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.once("end", () => {
        const status = answers[Buffer.concat(chunks).subarray(7).toString()];
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": status === undefined ? "5" : "0" }));
        stream.end(status === undefined ? undefined : Buffer.from([0, 0, 0, 0, 2, 8, status]));
      });
    });
    return listen(server);
  }

  it("passes when the server as a whole serves", async () => {
    expect(await probe(await serve({ "": 1 }), GRPC)).toMatchObject({ outcome: "pass", reason: "gRPC SERVING" });
  });

  it("asks for a service", async () => {
    const port = await serve({ "": 1, "shop.Cart": 2 });
    const seen = await probe(port, { ...GRPC, service: "shop.Cart" });
    expect(seen).toMatchObject({ outcome: "fail", reason: "gRPC NOT_SERVING" });
  });

  it("names the status of a refusal", async () => {
    const seen = await probe(await serve({}), { ...GRPC, service: "shop.Cart" });
    expect(seen).toMatchObject({ outcome: "fail", reason: "gRPC status 5", ambiguous: false });
  });

  it("fails on a server of HTTP/1.1", async () => {
    const port = await listen(createHttp((_, response) => response.end()));
    expect(await probe(port, GRPC)).toMatchObject({ outcome: "fail", ambiguous: false });
  });

  it("calls a silent server a timeout", async () => {
    const port = await tcp(() => undefined);
    expect(await probe(port, GRPC, 100)).toMatchObject({ reason: "timeout after 100 ms", ambiguous: true });
  });

  it("names a refused connection", async () => {
    expect(await probe(await closedPort(), GRPC)).toMatchObject({ reason: "connection refused" });
  });

  describe("over TLS", () => {
    it("passes with a trusted certificate for the name, and sends the name", async () => {
      const seen: unknown[] = [];
      const server = createHttps2(certificate);
      server.on("secureConnection", ({ servername, alpnProtocol }) => seen.push(servername, alpnProtocol));
      server.on("stream", (_, headers) => seen.push(headers[":scheme"], headers[":authority"]));
      const port = await serve({ "shop.Cart": 1 }, server);
      const call = { ...GRPC, service: "shop.Cart", authority: "cart.example", tls: trusting };
      expect(await probe(port, call)).toMatchObject({ outcome: "pass", reason: "gRPC SERVING" });
      expect(seen).toEqual(["shop.example", "h2", "https", "cart.example"]);
    });

    it("fails for another name", async () => {
      const port = await serve({ "": 1 }, createHttps2(certificate));
      const other = { ...trusting, serverName: "pay.example" };
      expect(await probe(port, { ...GRPC, tls: other })).toMatchObject({ reason: "certificate is for another name" });
    });

    it("fails without trust, unless verification is off", async () => {
      const port = await serve({ "": 1 }, createHttps2(certificate));
      expect(await probe(port, { ...GRPC, tls })).toMatchObject({ reason: "certificate is self-signed" });
      expect(await probe(port, { ...GRPC, tls: { ...tls, verify: false } })).toMatchObject({ outcome: "pass" });
    });

    it("tells what the server says, not just that it speaks", async () => {
      const port = await serve({ "": 2 }, createHttps2(certificate));
      expect(await probe(port, { ...GRPC, tls: trusting })).toMatchObject({
        outcome: "fail",
        reason: "gRPC NOT_SERVING",
        ambiguous: false,
      });
    });

    it("fails on a server without TLS", async () => {
      const seen = await probe(await serve({ "": 1 }), { ...GRPC, tls });
      expect(seen).toMatchObject({ outcome: "fail", ambiguous: false });
      expect(seen?.reason).toMatch(/^TLS handshake failed/);
    });

    it("fails on a server that speaks only HTTP/1.1", async () => {
      const port = await listen(createHttps(certificate, (_, response) => response.end()));
      const seen = await probe(port, { ...GRPC, tls: trusting });
      expect(seen).toMatchObject({ outcome: "fail", ambiguous: false });
      expect(seen?.reason).toMatch(/^TLS handshake failed/);
    });
  });
});

describe("what a stored check holds and nobody can use", () => {
  const authorities = ["::1", "10.0.0.256", "shop.example:99999", "a:b:c", ":80", "[::1", "1.2.3.4.5"];
  const unusable: [string, Probe, RegExp, number][] = [
    ...authorities.map((authority): [string, Probe, RegExp, number] => [
      `authority ${authority}`,
      { ...GRPC, authority },
      /^the check's authority ".*" is not a host/,
      0,
    ]),
    [
      "an address as server name",
      { ...HTTP, tls: { ...tls, serverName: "10.0.0.1" } },
      /^the check broke: .*IP address/,
      1,
    ],
    ["the same over gRPC", { ...GRPC, tls: { ...tls, serverName: "10.0.0.1" } }, /^the check broke: .*IP address/, 1],
    ["a trailer that is announced", { ...HTTP, headers: { Trailer: "x" } }, /^the check broke: /, 1],
    ["a header with a line break", { ...HTTP, headers: { "x-a": "b\r\nc: d" } }, /^the check broke: /, 1],
    ["a path with a space", { ...HTTP, path: "/a b" }, /^the check broke: /, 1],
    ["a pattern that is none", { ...HTTP, expectedBody: "(" }, /^the check broke: /, 1],
  ];

  it.each(unusable)("is an unhealthy verdict with that reason: %s", async (_, by, reason, contained) => {
    broken.length = 0;
    const port = await listen(by.kind === "grpc" ? createHttp2() : createHttp((_, response) => response.end()));
    expect(await probe(port, by)).toMatchObject({
      outcome: "fail",
      reason: expect.stringMatching(reason),
      ambiguous: false,
    });
    expect(broken).toHaveLength(contained);
    // Nor does it matter that nobody listens.
    expect(await probe(await closedPort(), by)).toMatchObject({ outcome: "fail", ambiguous: false });
  });
});

describe("whatever a backend answers is a verdict", () => {
  const answers: readonly (string | Buffer)[] = [
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    `HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n\r\n`,
    "HTTP/1.1 999 \0\r\n\r\n",
    Buffer.from("000000040000000000", "hex"),
    Buffer.from("00000004000000000000002301040000000141", "hex"),
    Buffer.from("000008070000000000000000000000000d", "hex"),
    Buffer.from("ffffff0004ffffffff", "hex"),
    Buffer.from("1503030002022816030100", "hex"),
  ];
  const probes: readonly Probe[] = [
    HTTP,
    { ...HTTP, method: "connect" },
    { ...HTTP, expectedBody: "ok" },
    { ...HTTP, tls },
    { ...TCP, expect: utf8("ok") },
    GRPC,
    { ...GRPC, tls },
  ];

  it("of every kind of check, and nothing breaks", async () => {
    broken.length = 0;
    const seen = await Promise.all(
      answers.map(async (answer) => {
        const port = await tcp((socket) => socket.once("data", () => socket.end(answer)).write(answer));
        return Promise.all(probes.map((by) => probe(port, by, 500)));
      }),
    );
    expect(seen.flat().every((observation) => observation !== undefined)).toBe(true);
    expect(broken).toEqual([]);
  });
});

function selfSigned(name: string): { key: string; cert: string } {
  const folder = tempFolder();
  const [key, cert] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  const what = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", ...what, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  const pair = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  folder[Symbol.dispose]();
  return pair;
}
