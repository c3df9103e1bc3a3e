import { Agent, request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENVOY_VERSIONS } from "../../scripts/components/envoy.ts";
import {
  whyHeaderNeverMatched,
  whyPathNeverMatched,
  whyRegexNeverMatched,
  whyValueNeverMatched,
} from "../../src/domain/never-matched.ts";
import { MATCHED_PATH } from "../../src/domain/text-shape.ts";
import { resourcesOf } from "../../src/resources/content.ts";
import { derive } from "../../src/resources/derive.ts";
import { type Backend, startBackend } from "../support/backend.ts";
import { type Envoy, startEnvoy } from "../support/envoy.ts";
import { freePort } from "../support/free-port.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { objectsOf, stateOf } from "../support/state-of.ts";
import { staticBootstrap } from "../support/static-bootstrap.ts";
import { hasText } from "../support/text-shape.ts";

const hex = (byte: number) => byte.toString(16).padStart(2, "0");
const PRINTABLE = Array.from({ length: 0x7e - 0x21 + 1 }, (_, i) => String.fromCharCode(0x21 + i)).filter(
  (character) => character !== "?" && character !== "#" && character !== "/",
);
const ESCAPES = Array.from({ length: 256 }, (_, byte) => [`%${hex(byte)}`, `%${hex(byte).toUpperCase()}`]).flat();
const PIECES = [
  ...new Set([...PRINTABLE, ...ESCAPES]),
  ...[
    "%",
    "%4",
    "%zz",
    "%252F",
    "%25%32%46",
    "~%7E",
    "/..;/",
    "/.;a/",
    "/..%3B/",
    "/.../",
    "/a;b/",
    "/%2e%2E/",
    "/.%2e/",
  ],
];
const REGEXES = [
  ...[".*/x", "g/.*", "/g/%7E.*", "/g/~.*", "/g/.*%2F.*", "/g/%2Fx", "/g/%C3%A9", "/g/(%7E|~)x", "/g/%7E?x"],
  ...["/g/(%7E|%2D)x", "(g|h)/x", "/g/[{}]x", "/g//x", "//", "/g/\\?x", "/g/a b", "/g/\\xe9", "/g/\\.\\.?/x", "[*]"],
];
const TARGET_REGEXES = ["/g/N~.*", "/g/N(%7E|%2D)\\?.*", "/g/N~\\?q=%7E", "/g/N~\\?q=~", ".*%7E", "/g/N~ ?"];
/** Of targets that nobody thought of. */
const TARGETS = 2000;
const HEADERS = [
  ...["x-a", "X.A", "x~a", "host", "te", "x-request-id", "user-agent", "x_a", "x-forwarded-client-cert"],
  ...["keep-alive", "proxy-connection", "transfer-encoding", "expect", "x-envoy-retry-on", "x-envoy-max-retries"],
  ...["x-envoy-internal", "x-envoy-force-trace", "x-envoy-upstream-rq-timeout-ms", "x-envoy-original-path"],
];
const WRITTEN: Readonly<Record<string, string>> = {
  te: "trailers",
  "transfer-encoding": "chunked",
  host: "headers.example",
};
const VALUES = ["a", "a b", " a", "a ", "\ta", "a\tb", "é", "a,b", "", "\u0001", "a\u007f"];

interface Candidate {
  readonly path: string;
  readonly why: string | undefined;
}
const PATHS: readonly Candidate[] = PIECES.map((piece) => {
  const why = whyPathNeverMatched(`/x${piece}y`);
  // Apart from the others, so that what a proxy makes of a path is not among them by chance.
  return { path: `/${why === undefined ? "open" : "refused"}/x${piece}y`, why };
});
const to = [{ service: "a" }];
const rulesOf = (kind: "exact" | "prefix") => PATHS.map(({ path }) => ({ match: { path: { [kind]: path } }, to }));
const route = (name: string, rules: readonly object[]) => ({
  kind: "Route",
  name,
  listeners: ["web"],
  hosts: [`${name.replace(/-\d+$/, "")}.example`],
  rules,
});
const batches = (name: string, rules: readonly object[]) =>
  Array.from({ length: Math.ceil(rules.length / 256) }, (_, i) =>
    route(`${name}-${i}`, rules.slice(i * 256, (i + 1) * 256)),
  );

describe.each(Object.values(ENVOY_VERSIONS))("what no request can match, on Envoy %s", (version) => {
  let [a, envoy, port]: [Backend?, Envoy?, number?] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });

  beforeAll(async () => {
    [a, port] = await Promise.all([startBackend("a"), freePort()]);
    const state = stateOf(
      objectsOf([
        { kind: "Fleet", name: "edge", backendNetworks: ["127.0.0.0/8"] },
        { kind: "Listener", name: "web", fleet: "edge", address: `127.0.0.1:${port}` },
        { kind: "Service", name: "a" },
        { kind: "Backend", name: "a/1", address: a.address },
        ...batches("exact", rulesOf("exact")),
        ...batches("prefix", rulesOf("prefix")),
        route("seen", [{ to }]),
        route(
          "regexes",
          REGEXES.map((regex, i) => ({ match: { path: { regex }, headers: [{ name: "x-case", exact: `${i}` }] }, to })),
        ),
        route(
          "targets",
          TARGET_REGEXES.map((regex, i) => ({
            match: { path: { exact: `/g/${i}~` }, headers: [{ name: ":path", regex: regex.replace("N", `${i}`) }] },
            to,
          })),
        ),
        route(
          "headers",
          HEADERS.map((name, i) => ({ match: { path: { exact: `/${i}` }, headers: [{ name, present: true }] }, to })),
        ),
        route(
          "values",
          VALUES.map((exact, i) => ({ match: { path: { exact: `/${i}` }, headers: [{ name: "x-v", exact }] }, to })),
        ),
        route("tunnels", [{ match: { methods: ["CONNECT"] }, to }]),
      ]),
    );
    envoy = await startEnvoy({
      version,
      bootstrap: staticBootstrap([...resourcesOf(derive(state, { fleet: "edge", level: "base" }))]),
    });
    await envoy.ready();
  });

  afterAll(async () => {
    agent.destroy();
    await Promise.all([envoy?.stop(), a?.stop()]);
  });

  const ask = (path: string, headers: Readonly<Record<string, string>>) =>
    new Promise<number>((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", port: port ?? 0, path, headers, agent }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
      });
      outgoing.once("error", reject);
      outgoing.end();
    });
  /** Of a request as these bytes. */
  const askRaw = (head: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port ?? 0, "127.0.0.1", () => socket.write(`${head}\r\n\r\n`, "utf8"));
      let answer = "";
      socket.setTimeout(5000, () => socket.destroy());
      socket.on("data", (bytes) => {
        answer += bytes.toString("latin1");
        if (answer.includes("\r\n\r\n") && !answer.startsWith("HTTP/1.1 100")) socket.destroy();
      });
      socket.once("error", reject);
      socket.once("close", () => resolve(answer.slice(9, 12)));
    });
  /** Newer ones take `/..;/` for a dot segment; what is refused for them alone matches in older ones. */
  const isRefusedForNewerOnes = (path: string) => version === ENVOY_VERSIONS.oldest && /\/\.\.?;/.test(path);

  test("every path is taken that matches, and every one refused that does not", async () => {
    const wrong: string[] = [];
    for (const { path, why } of PATHS) {
      if (isRefusedForNewerOnes(path)) continue;
      const exact = await ask(path, { host: "exact.example" });
      const prefix = await ask(`${path}/z?q=%7E`, { host: "prefix.example" });
      // An escape in lower case is another path: both match, and one spelling is enough.
      const wanted = why === undefined || why.startsWith("write escapes in upper case");
      if ((exact === 200) !== wanted || (prefix === 200) !== wanted) wrong.push(`${path} ${exact} ${prefix}: ${why}`);
    }
    expect(wrong).toEqual([]);
    expect(PATHS.filter(({ why }) => why !== undefined).length).toBeGreaterThan(100);
  });

  test("what an error says to write instead is what proxies make of the path", async () => {
    const wrong: string[] = [];
    for (const { path } of PATHS) {
      const told = /^proxies make `([^`]+)`/.exec(whyPathNeverMatched(path) ?? "")?.[1];
      if (told === undefined || isRefusedForNewerOnes(path)) continue;
      await ask(path, { host: "seen.example" });
      const seen = a?.requests.at(-1)?.path;
      if (seen !== told) wrong.push(`${path}: told ${told}, seen ${seen}`);
    }
    expect(wrong).toEqual([]);
  });

  test("a regex is refused only where no path can match", async () => {
    const texts = [
      ...["/g/~x", "/g/%7Ex", "/g/a%2Fb", "/g/%2Fx", "/g/%C3%A9", "/g/%7x", "/g/x", "/x"],
      ...[
        "/g/-x",
        "/g/%2Dx",
        "/g/{x",
        "/g/}x",
        "/g//x",
        "///",
        "/g/?x",
        "/g/a b",
        "/g/\u00e9",
        "/g/./x",
        "/g/../x",
        "*",
      ],
    ];
    for (const [i, regex] of REGEXES.entries()) {
      const answers = texts.map((path) => askRaw(`OPTIONS ${path} HTTP/1.1\r\nhost: regexes.example\r\nx-case: ${i}`));
      const statuses = await Promise.all(answers);
      expect([regex, whyRegexNeverMatched(regex) === undefined]).toEqual([regex, statuses.includes("200")]);
    }
  });

  test("a regex of a path with its query is refused only where none can match", async () => {
    for (const [i, text] of TARGET_REGEXES.entries()) {
      const value = text.replace("N", `${i}`);
      const targets = [`/g/${i}~`, `/g/${i}%7E`, `/g/${i}~?q=%7E`, `/g/${i}%7e?q=~`];
      const statuses = await Promise.all(targets.map((target) => ask(target, { host: "targets.example" })));
      const why = whyValueNeverMatched({ name: ":path", kind: "regex", value, invert: false });
      expect([value, why === undefined]).toEqual([value, statuses.includes(200)]);
    }
  });

  test("what proxies match is of the shape by which a regex is judged", async () => {
    const random = seededRandom(7);
    const pieces = [...PIECES, "/", "//", ".", "..", "/.", "/..", "%2", "%%", "4", "E", "7e"];
    const targets = Array.from({ length: TARGETS }, () => {
      const length = 1 + Math.floor(random.next() * 8);
      return `/${Array.from({ length }, () => pieces[Math.floor(random.next() * pieces.length)]).join("")}`;
    });
    const before = a?.requests.length ?? 0;
    await Promise.all(targets.map((path) => ask(path, { host: "seen.example" })));
    const seen = (a?.requests ?? []).slice(before).map(({ path }) => path);
    expect(seen.length).toBeGreaterThan(TARGETS / 2);
    expect(seen.filter((path) => !hasText(MATCHED_PATH, path))).toEqual([]);
  });

  test("a header is refused that is never there", async () => {
    for (const [i, name] of HEADERS.entries()) {
      const value = WRITTEN[name] ?? "1";
      const host = name === "host" ? "" : "host: headers.example\r\n";
      const status = await askRaw(
        `GET /${i} HTTP/1.1\r\n${host}${name}: ${value}${name === "transfer-encoding" ? "\r\n\r\n0" : ""}`,
      );
      const why = whyHeaderNeverMatched(name.toLowerCase());
      expect([name, why === undefined]).toEqual([name, status === "200"]);
    }
  });

  test("a value is refused that no header can have", async () => {
    for (const [i, value] of VALUES.entries()) {
      const status = await askRaw(`GET /${i} HTTP/1.1\r\nhost: values.example\r\nx-v: ${value}`);
      const why = whyValueNeverMatched({ name: "x-v", kind: "exact", value, invert: false });
      expect([value, why === undefined]).toEqual([value, status === "200"]);
    }
  });

  test("a tunnel is asked for in vain", async () => {
    expect(await askRaw("CONNECT tunnels.example:80 HTTP/1.1\r\nhost: tunnels.example")).toMatch(/^40/);
  });
});
