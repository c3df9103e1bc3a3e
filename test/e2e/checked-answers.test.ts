import { request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENVOY_VERSIONS } from "../../scripts/components/envoy.ts";
import type { HealthCheck } from "../../src/domain/health-check.ts";
import { createSocketProber } from "../../src/health/socket-prober.ts";
import { resourcesOf } from "../../src/resources/content.ts";
import { derive } from "../../src/resources/derive.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type Envoy, startEnvoy } from "../support/envoy.ts";
import { freePort } from "../support/free-port.ts";
import { outboundDoor } from "../support/outbound-door.ts";
import { objectsOf, stateOf } from "../support/state-of.ts";
import { staticBootstrap } from "../support/static-bootstrap.ts";

const x = (length: number) => "x".repeat(length);
const answer = (...lines: readonly string[]) =>
  `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\nok`;
const many = (count: number, length = 1) => Array.from({ length: count - 1 }, (_, i) => `a${i}: ${x(length)}`);
const LENGTH = "content-length: 2";
const CHUNKS = "2\r\nok\r\n0\r\n\r\n";

/** Answers as backends really give them, and some that none should. */
const ANSWERS: Readonly<Record<string, string>> = {
  plain: answer(LENGTH),
  "bare LF everywhere": answer(LENGTH).replaceAll("\r\n", "\n"),
  "bare LF within": answer("a: b", LENGTH).replace("b\r\n", "b\n"),
  "20 KB in one header": answer(`a: ${x(20_000)}`, LENGTH),
  "20 KB in forty": answer(...many(40, 500), LENGTH),
  "59 KB": answer(`a: ${x(59_000)}`, LENGTH),
  "120 KB": answer(`a: ${x(120_000)}`, LENGTH),
  "100 headers": answer(...many(100), LENGTH),
  "101 headers": answer(...many(101), LENGTH),
  "150 headers": answer(...many(150), LENGTH),
  "HTTP/1.0": "HTTP/1.0 200 OK\r\n\r\nok",
  "HTTP/1.2": "HTTP/1.2 200 OK\r\n\r\nok",
  "no reason phrase": "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok",
  "no headers": "HTTP/1.1 200 OK\r\n\r\nok",
  "a folded header": answer("a: b", " c", LENGTH),
  "no colon": answer("abc", LENGTH),
  "a blank in a name": answer("a b: c", LENGTH),
  "a blank before the colon": answer("a : c", LENGTH),
  "a control character": answer("a: b\u0001c", LENGTH),
  "a NUL": answer("a: b\0c", LENGTH),
  "a DEL": answer("a: b\u007fc", LENGTH),
  "beyond ASCII": answer("a: \u00e9", LENGTH),
  "an underscore": answer("a_b: c", LENGTH),
  "two lengths": answer(LENGTH, "content-length: 3"),
  "one length twice": answer(LENGTH, LENGTH),
  "a bad length": answer("content-length: x"),
  "length and chunks": `${answer(LENGTH, "transfer-encoding: chunked").slice(0, -2)}${CHUNKS}`,
  "another transfer coding": answer("transfer-encoding: gzip"),
  "two transfer codings": `${answer("transfer-encoding: gzip, chunked").slice(0, -2)}${CHUNKS}`,
  chunks: `${answer("transfer-encoding: chunked").slice(0, -2)}${CHUNKS}`,
  "an extended chunk": `${answer("transfer-encoding: chunked").slice(0, -2)}${CHUNKS.replace("2", "2;a=b")}`,
  "a blank behind a chunk's size": `${answer("transfer-encoding: chunked").slice(0, -2)}${CHUNKS.replace("2", "2 ")}`,
  "a bad chunk": `${answer("transfer-encoding: chunked").slice(0, -2)}${CHUNKS.replace("2", "zz")}`,
  "a body that breaks off": answer("content-length: 10"),
  "more than the body": `${answer(LENGTH)} and more`,
  "100 before it": `HTTP/1.1 100 Continue\r\n\r\n${answer(LENGTH)}`,
  "103 before it": `HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${answer(LENGTH)}`,
  "a 204": "HTTP/1.1 204 No Content\r\n\r\n",
  "a 204 with a body": "HTTP/1.1 204 No Content\r\n\r\nok",
  "a 204 with a length": "HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok",
  "a 204 with no length to speak of": "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
  "an upgrade in passing": answer("connection: upgrade", "upgrade: h2c", LENGTH),
  "another protocol": "SSH-2.0-OpenSSH_9\r\n",
  "no protocol at all": "ok\r\n",
  nothing: "",
};
/** What proxies pass on and the check cannot read: it fails, and says what it stumbled over. */
const UNREAD: Readonly<Record<string, readonly [text: string, reason: RegExp]>> = {
  "a bare CR in a value": [answer("a: b\rc", LENGTH), /^the answer is not HTTP\/1\.1: Missing expected LF/],
  "two blanks before the status": ["HTTP/1.1  200 OK\r\n\r\nok", /^the answer is not HTTP\/1\.1: Invalid status code/],
};
const NAMES = [...Object.keys(ANSWERS), ...Object.keys(UNREAD)];
const textOf = (name: string) => ANSWERS[name] ?? UNREAD[name]?.[0] ?? "";

const CHECK: HealthCheck = {
  probe: {
    kind: "http",
    method: "GET",
    path: "/",
    host: "",
    headers: {},
    expectedStatuses: [{ first: 200, last: 299 }],
    expectedBody: "",
    tls: undefined,
  },
  intervalMs: 60_000,
  timeoutMs: 5000,
  unhealthyThreshold: 3,
  healthyThreshold: 2,
  jitterRatio: 0,
  changingIntervalMs: 1000,
  initial: "PENDING",
  addedAt: undefined,
};

describe.each(Object.values(ENVOY_VERSIONS))("what Envoy %s passes on", (version) => {
  const cleanups = new AsyncDisposableStack();
  const ports = new Map<string, number>();
  let [envoy, port]: [Envoy?, number?] = [];
  const prober = createSocketProber({
    clock: systemClock,
    door: outboundDoor(),
    containment: { note: () => undefined },
  });

  beforeAll(async () => {
    for (const name of NAMES) {
      const server = createServer((socket) => {
        socket.on("error", () => undefined);
        socket.once("data", () => socket.end(Buffer.from(textOf(name), "latin1")));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      cleanups.defer(() => void server.close());
      ports.set(name, (server.address() as AddressInfo).port);
    }
    port = await freePort();
    const services = NAMES.flatMap((name, i) => [
      { kind: "Service", name: `s${i}` },
      { kind: "Backend", name: `s${i}/1`, address: `127.0.0.1:${ports.get(name)}` },
    ]);
    const rules = NAMES.map((_, i) => ({ match: { path: { exact: `/${i}` } }, to: [{ service: `s${i}` }] }));
    const state = stateOf(
      objectsOf([
        { kind: "Fleet", name: "edge", backendNetworks: ["127.0.0.0/8"] },
        { kind: "Listener", name: "web", fleet: "edge", address: `127.0.0.1:${port}` },
        ...services,
        { kind: "Route", name: "all", listeners: ["web"], hosts: ["*"], rules },
      ]),
    );
    envoy = await startEnvoy({
      version,
      bootstrap: staticBootstrap([...resourcesOf(derive(state, { fleet: "edge", level: "base" }))]),
    });
    cleanups.use(envoy);
    await envoy.ready();
  });
  afterAll(() => cleanups.disposeAsync());

  /** Whether a client gets a whole answer that is well. */
  const isServed = (name: string) =>
    new Promise<boolean>((resolve) => {
      const path = `/${NAMES.indexOf(name)}`;
      const outgoing = request({ host: "127.0.0.1", port: port ?? 0, path, maxHeaderSize: 1_000_000, agent: false });
      outgoing.once("response", (response) => {
        response.once("error", () => resolve(false));
        response.resume().once("end", () => resolve(response.statusCode === 200 || response.statusCode === 204));
      });
      outgoing.once("error", () => resolve(false));
      outgoing.end();
    });
  const check = (name: string) => {
    const target = { kind: "address", ip: "127.0.0.1", port: ports.get(name) ?? 0 } as const;
    return prober.probe(target, CHECK, new AbortController().signal);
  };

  test.each(Object.keys(ANSWERS))("%s passes its check if it is served", async (name) => {
    const [served, seen] = await Promise.all([isServed(name), check(name)]);
    expect({ served, reason: seen?.reason }).toMatchObject({ served: seen?.outcome === "pass" });
  });

  test.each(Object.entries(UNREAD))(
    "%s is served, and its check says what it cannot read",
    async (name, [, reason]) => {
      expect(await isServed(name)).toBe(true);
      expect(await check(name)).toMatchObject({ outcome: "fail", reason: expect.stringMatching(reason) });
    },
  );
});
