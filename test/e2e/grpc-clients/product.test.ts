import { beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { backend, fleet, manifest, policy, route, service } from "../../support/manifest.ts";
import { type Plane, startPlane } from "../../support/plane.ts";
import { COMPONENT_TIMEOUT_MS, LIBRARIES } from "./libraries.ts";
import { startTalking, type TalkingChild, type TalkingCommand } from "./talking-child.ts";
import { startWho, type Who } from "./who.ts";

const HOST = "who.example";
const calls = { kind: "Listener", name: "calls", fleet: "clients", protocol: "GRPC" };
const routed = (rules: readonly object[]) => route("who", rules, { listeners: ["calls"], hosts: [HOST] });
const member = (name: string, { port }: Who, spec: object = {}) => backend(`who/${name}`, `127.0.0.1:${port}`, spec);
const world = manifest(
  fleet("clients"),
  calls,
  service("who", { protocol: "HTTP2", drainTime: "60s" }),
  routed([{ to: [{ service: "who" }] }]),
);

/** Who it is, with its version, and that it has acknowledged all four types. */
const NODE_LINE: Readonly<Record<string, RegExp>> = {
  "grpc-js": /client-1 +clients +gRPC Node Pure JS \d\S* +ack +ack +ack +ack /,
  "C-core (Python)": /client-1 +clients +gRPC C-core .* +ack +ack +ack +ack /,
  "grpc-go": /client-1 +clients +gRPC Go \d\S* +ack +ack +ack +ack /,
  "grpc-java": /client-1 +clients +gRPC Java \d\S* +ack +ack +ack +ack /,
};

/** How each library says that the rule leads to a cluster without endpoints; two of them name it, and so the rule. */
const WHY_HELD: Readonly<Record<string, RegExp>> = {
  "grpc-js": /priority policy has empty priority list/,
  "C-core (Python)": /held:who\/rules\[0\]/,
  "grpc-go": /no targets to pick from/,
  "grpc-java": /held:who\/rules\[0\]/,
};

describe.each(LIBRARIES)("a program over $name, served by the product", ({ name, command: find }) => {
  let command: TalkingCommand;
  beforeAll(() => {
    command = find();
  }, COMPONENT_TIMEOUT_MS);

  /** With the bootstrap that the command line prints. */
  const dial = async (plane: Plane, host = HOST) => {
    const who = ["--node-id", "client-1", "--fleet", "clients", "--xds", plane.addresses.xds];
    const printed = await plane.mustCli("bootstrap", "--grpc", ...who);
    const { program, args, env } = command;
    return startTalking({
      program,
      args: [...args, `xds:///${host}`],
      env: { ...env, GRPC_XDS_BOOTSTRAP_CONFIG: printed },
    });
  };

  test("calls, by weight, without those that drain or were killed, and on while the plane is away", async () => {
    using one = await startWho("one");
    using two = await startWho("two");
    await using plane = await startPlane();
    await plane.mustApply(`${world}---\n${manifest(member("one", one), member("two", two, { weight: 3 }))}`);
    await using client = await dial(plane);
    await answered(client, "one", "two");
    const shares = tally(await ask(client, 1000));
    expect(Object.keys(shares).toSorted()).toEqual(["answer one", "answer two"]);
    // grpc-js and others choose localities at random: this is some four deviations.
    expect(Math.abs((shares["answer two"] ?? 0) / 1000 - 0.75)).toBeLessThan(0.06);

    expect(await plane.mustCli("nodes")).toMatch(NODE_LINE[name] ?? /never/);
    const ended = new AbortController();
    const draining = plane.mustCli("drain", "who/two").finally(() => ended.abort());
    const during: string[] = [];
    while (!ended.signal.aborted) during.push(await client.ask("ask"));
    await draining;
    during.push(...(await ask(client, 200)));
    expect(during.filter((line) => line.startsWith("error"))).toEqual([]);
    await answered(client, "one");
    expect(tally(await ask(client, 50))).toEqual({ "answer one": 50 });

    await plane.kill9();
    expect(tally(await ask(client, 50))).toEqual({ "answer one": 50 });
    await plane.restart();
    using three = await startWho("three");
    await plane.mustApply(manifest(member("three", three)));
    await answered(client, "one", "three");

    three[Symbol.dispose]();
    await answered(client, "one");
    expect(tally(await ask(client, 50))).toEqual({ "answer one": 50 });
  });

  test("is told why a rule is held for it, and goes on once it can carry it out", async () => {
    using one = await startWho("one");
    await using plane = await startPlane();
    await plane.mustApply(`${world}---\n${manifest(member("one", one))}`);
    await using client = await dial(plane);
    await answered(client, "one");

    await plane.mustApply(manifest(routed([{ to: [{ service: "who" }], rewrite: { host: "inside.example" } }])));
    const failed = await eventually(
      () => client.ask("ask"),
      (answer) => answer.startsWith("error"),
      { what: "a failed call" },
    );
    expect(failed).toMatch(WHY_HELD[name] ?? /never/);
    expect(await plane.mustCli("status")).toContain("rules[0].rewrite.host: gRPC clients rewrite nothing");

    await plane.mustApply(manifest(routed([{ to: [{ service: "who" }] }])));
    await answered(client, "one");
  });

  test("takes every kind of match and policy that it is sent, and goes by priorities and retries", async () => {
    using one = await startWho("one");
    using two = await startWho("two");
    using spare = await startWho("spare");
    await using plane = await startPlane();
    const to = [{ service: "who" }];
    const headers = [
      { name: "x-a", exact: "a" },
      { name: "x-b", prefix: "b" },
      { name: "x-c", suffix: "c" },
      { name: "x-d", contains: "d" },
      { name: "x-e", regex: "e+" },
      { name: "x-f", present: true, invert: true },
    ];
    const rules = [
      { match: { path: { exact: "/fairlead.test.Who/Other" } }, to },
      { match: { path: { prefix: "/fairlead.test.Who" }, headers }, to },
      { match: { path: { regex: "/fairlead[.]test[.]W.*" }, methods: ["POST"] }, to, rewrite: { host: "x.example" } },
      {
        match: { path: { prefix: "/fairlead.test.Who/Ask" } },
        to: [
          { service: "who", weight: 1 },
          { service: "ring", weight: 1 },
        ],
        retry: { attempts: 2, on: ["unavailable", "connect-failure"] },
      },
    ];
    await plane.mustApply(
      manifest(
        ...[fleet("clients"), calls, service("who", { protocol: "HTTP2" }), service("ring", { protocol: "HTTP2" })],
        policy("who", {
          circuitBreakers: { maxRequests: 50 },
          outlierDetection: { consecutive5xx: 2, interval: "1s" },
        }),
        policy("ring", { algorithm: "RING_HASH", hashOn: [{ header: "x-user" }] }),
        ...[member("one", one), member("spare", spare, { priority: 7 })],
        backend("ring/two", `127.0.0.1:${two.port}`, { weight: 5, locality: { region: "eu", zone: "a" } }),
        routed(rules),
      ),
    );
    await using client = await dial(plane);
    await answered(client, "one", "two");
    const nodes = await plane.mustCli("nodes");
    expect(nodes).toMatch(NODE_LINE[name] ?? /never/);
    one[Symbol.dispose]();
    await answered(client, "spare", "two");
    expect((await ask(client, 50)).filter((line) => line.startsWith("error"))).toEqual([]);
  });

  test("that dials a host that no route has is shown as one whose calls fail", async () => {
    await using plane = await startPlane();
    await plane.mustApply(world);
    await using client = await dial(plane, "typo.example");
    const failing = client.ask("ask");
    await eventually(
      () => plane.mustCli("nodes"),
      (text) => /client-1 .*MISSING/.test(text),
      { what: "a node that misses something" },
    );
    expect(await plane.mustCli("status")).toContain("no route on a listener of protocol GRPC");
    expect(await failing).toMatch(/^error/);
  });
});

async function ask(client: TalkingChild, times: number): Promise<string[]> {
  const lines: string[] = [];
  for (let i = 0; i < times; i++) lines.push(await client.ask("ask"));
  return lines;
}

/** Waits until exactly these backends answer. */
async function answered(client: TalkingChild, ...names: readonly string[]): Promise<void> {
  const wanted = names.map((name) => `answer ${name}`).toSorted();
  await eventually(
    async () => [...new Set(await ask(client, 20))].toSorted(),
    (seen) => seen.length === wanted.length && seen.every((line, i) => line === wanted[i]),
    { what: `answers of ${names.join(" and ")}`, timeoutMs: 30_000 },
  );
}

function tally(lines: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(lines, (line) => line)].map(([line, all]) => [line, all.length]));
}
