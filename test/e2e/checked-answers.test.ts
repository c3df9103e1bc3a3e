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
const coded = (body: string, ...lines: readonly string[]) =>
  `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n${body}`;
const answer = (...lines: readonly string[]) => coded("ok", ...lines);
const many = (count: number, length = 1) => Array.from({ length: count - 1 }, (_, i) => `a${i}: ${x(length)}`);
const LENGTH = "content-length: 2";
const CHUNKED = "transfer-encoding: chunked";
const CHUNKS = "2\r\nok\r\n0\r\n\r\n";
/** What comes before an answer. */
const early = (status: string, ...lines: readonly string[]) =>
  coded(answer(LENGTH), ...lines).replace("200 OK", status);

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
  "length and chunks": coded(CHUNKS, LENGTH, CHUNKED),
  "another transfer coding": answer("transfer-encoding: gzip"),
  "two transfer codings": coded(CHUNKS, "transfer-encoding: gzip, chunked"),
  chunks: coded(CHUNKS, CHUNKED),
  "an extended chunk": coded(CHUNKS.replace("2", "2;a=b"), CHUNKED),
  "a blank behind a chunk's size": coded(CHUNKS.replace("2", "2 "), CHUNKED),
  "a bad chunk": coded(CHUNKS.replace("2", "zz"), CHUNKED),
  "a body that breaks off": answer("content-length: 10"),
  "more than the body": `${answer(LENGTH)} and more`,
  "100 before it": early("100 Continue"),
  "103 before it": early("103 Early Hints", "link: a"),
  "a 204": "HTTP/1.1 204 No Content\r\n\r\n",
  "a 204 with a body": "HTTP/1.1 204 No Content\r\n\r\nok",
  "a 204 with a length": "HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok",
  "a 204 with no length to speak of": "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
  "an upgrade in passing": answer("connection: upgrade", "upgrade: h2c", LENGTH),
  "another protocol": "SSH-2.0-OpenSSH_9\r\n",
  "no protocol at all": "ok\r\n",
  nothing: "",
  "an empty line before it": `\r\n${answer(LENGTH)}`,
  "a protocol in lower case": answer(LENGTH).replace("HTTP", "http"),
  "a status of two digits": answer(LENGTH).replace("200", "20"),
  "a status of four digits": answer(LENGTH).replace("200", "2000"),
  "no status": answer(LENGTH).replace("200 ", ""),
  "a reason beyond ASCII": answer(LENGTH).replace("OK", "\u00e9"),
  "a control character in the reason": answer(LENGTH).replace("OK", "a\u0001b"),
  "a long reason": answer(LENGTH).replace("OK", x(20_000)),
  "a header without a name": answer(": a", LENGTH),
  "a header with a quoted name": answer('"a": b', LENGTH),
  "a length with a plus": answer("content-length: +2"),
  "a length with zeros": answer("content-length: 02"),
  "a length in a list": answer("content-length: 2, 2"),
  "a length below zero": answer("content-length: -2"),
  "a length beyond numbers": answer("content-length: 99999999999999999999"),
  "an empty length": answer("content-length:"),
  "chunks in capitals": coded(CHUNKS, "Transfer-Encoding: Chunked"),
  "chunks twice": coded(CHUNKS, "transfer-encoding: chunked, chunked"),
  "chunks in two headers": coded(CHUNKS, CHUNKED, CHUNKED),
  "the identity coding": answer("transfer-encoding: identity", LENGTH),
  "chunk sizes with zeros": coded(CHUNKS.replace("2", "0002"), CHUNKED),
  "chunks with trailers": coded(`${CHUNKS.slice(0, -2)}a: b\r\n\r\n`, CHUNKED),
  "chunks with bare LF": coded(CHUNKS.replaceAll("\r\n", "\n"), CHUNKED),
  "chunks that break off": coded("2\r\nok", CHUNKED),
  "chunks of HTTP/1.0": coded(CHUNKS, CHUNKED).replace("/1.1", "/1.0"),
  "an answer that ends in its head": "HTTP/1.1 200 OK\r\na: b\r\n",
  "an answer that ends in its status": "HTTP/1.1 20",
  "a 101": "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
  "a 100 and nothing": "HTTP/1.1 100 Continue\r\n\r\n",
  "a 304 with a length": "HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n",
  "an LF before it": `\n${answer(LENGTH)}`,
  "a blank before it": ` ${answer(LENGTH)}`,
  "a tab in the reason": answer(LENGTH).replace("OK", "a\tb"),
  "a NUL in the reason": answer(LENGTH).replace("OK", "a\0b"),
  "a DEL in the reason": answer(LENGTH).replace("OK", "a\u007fb"),
  "a xds C1 in the reason": answer(LENGTH).replace("OK", "a\u0085b"),
  "an empty line behind a 100": `HTTP/1.1 100 Continue\r\n\r\n\r\n${answer(LENGTH)}`,
  "a control character in the reason of a 100": early("100 a\u0001b"),
  "a control character in a header of a 103": early("103 Early Hints", "a: b\u0001c"),
  "chunks in a 103": early("103 Early Hints", CHUNKED),
  "a length in a 103": early("103 Early Hints", "content-length: 3"),
  "101 headers in a 103": early("103 Early Hints", ...many(102)),
  "many 100": `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(50)}${answer(LENGTH)}`,
  "a bracket in a name": answer("a(b: c", LENGTH),
  "a slash in a name": answer("a/b: c", LENGTH),
  "beyond ASCII in a name": answer("\u00e9: c", LENGTH),
  "a control character in a name": answer("a\u0001: c", LENGTH),
  "an empty coding": answer("transfer-encoding:", LENGTH),
  "an empty coding without a length": answer("transfer-encoding:"),
  "two empty codings": answer("transfer-encoding:", "transfer-encoding:"),
  "no length to speak of in a 103": early("103 Early Hints", "content-length: 0"),
  "two CR and LF behind a 100": `HTTP/1.1 100 Continue\n\n\n${answer(LENGTH)}`,
  "a coding with blanks": coded(CHUNKS, "transfer-encoding:   chunked  "),
  "gzip and chunks in two headers": coded(CHUNKS, "transfer-encoding: gzip", CHUNKED),
  "a 204 with chunks": coded(CHUNKS, CHUNKED).replace("200 OK", "204 No Content"),
  "a control character in a trailer": coded(`${CHUNKS.slice(0, -2)}a: b\u0001\r\n\r\n`, CHUNKED),
  "a bad chunk at the end": coded("2\r\nok\r\nzz\r\n", CHUNKED),
  "a chunk of no size": coded("\r\nok\r\n0\r\n\r\n", CHUNKED),
  "a huge chunk size": coded("fffffffffffffffffff\r\nok\r\n0\r\n\r\n", CHUNKED),
  "a long header name": answer(`${x(20_000)}: a`, LENGTH),
  "a HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "HTTP/2.0": answer(LENGTH).replace("1.1", "2.0"),
  "HTTP/0.9": answer(LENGTH).replace("1.1", "0.9"),
  "HTTP/1": answer(LENGTH).replace("1.1", "1"),
  "HTTP/11.1": answer(LENGTH).replace("1.1", "11.1"),
};
/** What proxies pass on and the check cannot read: it fails, and says what it stumbled over. */
const UNREAD: Readonly<Record<string, readonly [text: string, reason: string]>> = {
  "a bare CR in a value": [answer("a: b\rc", LENGTH), "Missing expected LF"],
  "a tab before the status": [answer(LENGTH).replace(" 200", "\t200"), "Expected space after version"],
  "two CR before an LF": [answer("a: b\r", LENGTH), "Missing expected LF"],
  "a CR in the reason": [answer(LENGTH).replace("OK", "a\rb"), "Invalid header token"],
  "chunks and an empty coding": [coded(CHUNKS, CHUNKED, "transfer-encoding:"), "Empty Transfer-Encoding"],
  "an empty coding and chunks": [coded(CHUNKS, "transfer-encoding:", CHUNKED), "Empty Transfer-Encoding"],
  "a chunk too long for its size": [coded("1\r\nok\r\n0\r\n\r\n", CHUNKED), "Invalid character in chunk size"],
  "two blanks before the status": ["HTTP/1.1  200 OK\r\n\r\nok", "Invalid status code"],
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
      expect(await check(name)).toMatchObject({
        outcome: "fail",
        reason: expect.stringContaining(`the answer is not HTTP/1.1: ${reason}`),
      });
    },
  );
});
