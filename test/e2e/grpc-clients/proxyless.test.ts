import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, test } from "vitest";
import { ListenerSchema } from "../../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { LISTENER_TYPE, proxylessProblems } from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import {
  apiListener,
  assignment,
  edsCluster,
  endpointAt,
  hostOf,
  httpManager,
  locality,
  routeConfig,
  routesTo,
  routeWith,
} from "../../support/proxyless-resources.ts";
import { COMPONENT_TIMEOUT_MS, LIBRARIES, withBootstrap } from "./libraries.ts";
import { startPlane } from "./plane.ts";
import { startTalking, type TalkingCommand } from "./talking-child.ts";
import { startWho } from "./who.ts";

const MIB = 1024 * 1024;
/** A Java machine starts slowly where all processors are busy. */
const START_TIMEOUT_MS = 60_000;

describe.each(LIBRARIES)("a proxyless client over $name", ({ command: find }) => {
  let command: TalkingCommand;
  beforeAll(() => {
    command = find();
  }, COMPONENT_TIMEOUT_MS);

  test("reaches the backend that EDS names, follows updates, and leaves without asking for everything", async () => {
    await using plane = await startPlane();
    using one = await startWho("one");
    using two = await startWho("two");
    using three = await startWho("three");
    plane.publish([
      apiListener("who.example"),
      routesTo("a"),
      edsCluster("a"),
      assignment("a", locality(endpointAt(one.port))),
      edsCluster("unasked"),
      apiListener("unasked.example"),
    ]);
    await using client = startTalking(withBootstrap(command, plane.address, "xds:///who.example"));
    const answers = (name: string) =>
      eventually(
        () => client.ask("ask"),
        (line) => line === `answer ${name}`,
        { what: `an answer of ${name}`, timeoutMs: START_TIMEOUT_MS, explain: () => JSON.stringify(plane.refused) },
      );
    await answers("one");

    plane.publish([assignment("a", locality(endpointAt(two.port)))]);
    await answers("two");

    plane.publish([routesTo("b"), edsCluster("b"), assignment("b", locality(endpointAt(three.port)))]);
    await answers("three");
    expect(plane.refused).toEqual([]);

    const second = { ...locality(endpointAt(one.port)), priority: 1 };
    const bad = assignment("b", second);
    expect(proxylessProblems([bad]).map(({ code }) => code)).toEqual(["priority_gap"]);
    plane.publish([bad]);
    await eventually(
      () => plane.refused,
      (refused) => refused.includes("b"),
      { what: "a refusal of the endpoints" },
    );
    await answers("three");

    plane.publish([assignment("b", locality(endpointAt(one.port)))]);
    await answers("one");

    const sentBefore = plane.sentBytes.length;
    client.hangUp();
    await eventually(
      () => plane.server.clients(),
      (clients) => clients.length === 0,
      { what: "the end of the stream" },
    );
    expect(plane.sentBytes.length).toBe(sentBefore);
    expect(plane.wildcards).toEqual([]);
    expect(plane.accepted.filter((name) => name.startsWith("unasked"))).toEqual([]);
  });

  test("is given more endpoints than one message of 4 MiB holds in several", async () => {
    await using plane = await startPlane();
    using one = await startWho("one");
    const names = Array.from({ length: 60 }, (_, index) => `c${index}`);
    const padded = {
      ...endpointAt(one.port),
      metadata: { filterMetadata: { padding: { text: "x".repeat(100_000) } } },
    };
    plane.publish([
      apiListener("who.example"),
      routesTo(...names),
      ...names.flatMap((name) => [edsCluster(name), assignment(name, locality(padded))]),
    ]);
    await using client = startTalking(withBootstrap(command, plane.address, "xds:///who.example"));
    await eventually(
      () => client.ask("ask"),
      (line) => line === "answer one",
      { what: "an answer", timeoutMs: START_TIMEOUT_MS, explain: () => JSON.stringify(plane.refused) },
    );
    await eventually(
      () => plane.accepted.filter((name) => names.includes(name)).length,
      (count) => count >= 2 * names.length,
      { what: "an acknowledgement of all clusters and endpoint sets" },
    );
    expect(Math.max(...plane.sentBytes)).toBeLessThanOrEqual(4 * MIB);
    expect(plane.endpointBytes()).toBeGreaterThan(4 * MIB);
    expect(plane.refused).toEqual([]);
  });
});

describe("an xDS-enabled server over grpc-js", () => {
  test("serves while it has a listener for its address", async () => {
    await using plane = await startPlane();
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const name = `grpc/server?xds.resource.listening_address=${address}`;
    const program = { program: process.execPath, args: [join(import.meta.dirname, "node/server.ts")] };
    await using server = startTalking(withBootstrap(program, plane.address, address));
    await eventually(
      () => plane.server.clients(),
      (clients) => clients.length === 1,
      { what: "the server's stream" },
    );
    plane.publish([serverListener(name, port)]);
    expect(await server.next()).toBe("bound");

    const caller = { program: process.execPath, args: [join(import.meta.dirname, "node/client.ts"), address] };
    await using client = startTalking(caller);
    expect(await client.ask("ask")).toBe("answer xds-server");

    plane.cache.update("all", (change) => change.delete(LISTENER_TYPE, name));
    await eventually(
      () => client.ask("ask"),
      (line) => line.startsWith("error"),
      { what: "an end of service" },
    );
    expect(plane.refused).toEqual([]);
  });
});

/** One HTTP chain whose calls are served in place. */
function serverListener(name: string, port: number) {
  const here = routeConfig(hostOf(routeWith({ case: "nonForwardingAction", value: {} })));
  const manager = httpManager({ routeSpecifier: { case: "routeConfig", value: here } });
  return create(ListenerSchema, {
    name,
    address: endpointAt(port).hostIdentifier.value.address,
    filterChains: [{ filters: [{ name: "http", configType: { case: "typedConfig", value: manager } }] }],
  });
}
