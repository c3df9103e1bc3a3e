import { expect, test } from "vitest";
import { LISTENER_TYPE } from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import { RawClient } from "./raw-client.ts";
import { startProxies } from "./start-proxies.ts";

test("a proxy that is away holds up only what has been due to it since what it acknowledged", async () => {
  await using plane = await startProxies();
  await plane.addFleet("edge");
  await plane.addFleet("other");
  await plane.addListener("web", "edge", 10_000);
  using client = new RawClient(plane.address);
  const stream = client.delta();
  stream.send({ node: { id: "edge-1", cluster: "edge" }, typeUrl: LISTENER_TYPE });
  stream.send({ typeUrl: LISTENER_TYPE, responseNonce: (await stream.next()).nonce });
  // As long as a proxy may take to ask for all types.
  await plane.clock.advance(6000);
  const first = await plane.addListener("admin", "edge", 10_001);
  const { nonce } = await stream.next();
  expect(await plane.wait(first.revision)).toEqual({ outcome: "timedOut", done: 0, total: 1 });
  stream.send({ typeUrl: LISTENER_TYPE, responseNonce: nonce });
  await eventually(
    () => plane.wait(first.revision),
    (wait) => wait?.outcome === "reached",
    {
      what: "the proxy acknowledges",
    },
  );
  stream.call.cancel();
  await eventually(plane.connected, (count) => count === 0, { what: "the proxy is away" });

  const elsewhere = await plane.addListener("else", "other", 10_002);
  expect(await plane.wait(elsewhere.revision)).toEqual({ outcome: "reached", done: 1, total: 1 });
  const due = await plane.addListener("more", "edge", 10_003);
  expect(await plane.wait(due.revision)).toEqual({ outcome: "timedOut", done: 0, total: 1 });
  expect(await plane.wait(elsewhere.revision)).toEqual({ outcome: "reached", done: 1, total: 1 });
});

test("a proxy that left with a refusal has not acknowledged it", async () => {
  await using plane = await startProxies();
  await plane.addFleet("edge");
  using client = new RawClient(plane.address);
  const stream = client.delta();
  stream.send({ node: { id: "edge-1", cluster: "edge" }, typeUrl: LISTENER_TYPE });
  stream.send({ typeUrl: LISTENER_TYPE, responseNonce: (await stream.next()).nonce });
  await plane.clock.advance(6000);
  const { revision } = await plane.addListener("web", "edge", 10_000);
  const errorDetail = { code: 13, message: "cannot bind" };
  stream.send({ typeUrl: LISTENER_TYPE, responseNonce: (await stream.next()).nonce, errorDetail });
  await eventually(
    () => plane.wait(revision),
    (wait) => wait?.outcome === "refused",
    {
      what: "the refusal is known",
    },
  );
  stream.call.cancel();
  await eventually(plane.connected, (count) => count === 0, { what: "the proxy is away" });
  expect(await plane.wait(revision)).toEqual({ outcome: "timedOut", done: 0, total: 1 });
});
