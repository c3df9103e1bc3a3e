import { expect, it } from "vitest";
import { LocalNodeDirectory } from "../../../src/fleet/local-node-directory.ts";
import { MAX_REMEMBERED, REMEMBERED_MS } from "../../../src/fleet/node-directory.ts";
import { PublicationLog } from "../../../src/fleet/publication-log.ts";
import type { StreamHolding } from "../../../src/xds/protocol/stream-holding.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { resourceHolding, standingRefusal, typeHolding } from "../../support/holdings.ts";

const refused = standingRefusal({ message: "bad port", publication: 5 });
const web = resourceHolding({ name: "web", sent: "2", unknown: true, refused });

/** Streams that have acknowledged all that is due. */
const acknowledged = new Set<string>();

/** A stream with many clusters, one of which it refuses; counts how often all of them are described. */
function withOneStream(types?: StreamHolding["types"]) {
  const described = { times: 0 };
  const stream: StreamHolding = {
    streamId: "1",
    node: { id: "edge-1", cluster: "edge", userAgentName: "envoy", userAgentVersion: "1.40.0" },
    peer: { address: "127.0.0.1:1" },
    variant: "delta",
    group: "edge",
    silent: undefined,
    duplicate: false,
    oldestPending: 5,
    types: types ?? [
      {
        ...typeHolding({ typeUrl: "example.Cluster", shortName: "CDS", known: 1_000, refused: [web] }),
        get resources() {
          described.times += 1;
          return [web];
        },
        resource: (name) => (name === "web" ? web : undefined),
        content: (name) => `{"name":"${name}"}`,
      },
    ],
  };
  const publications = new PublicationLog();
  publications.record({ revision: { epoch: 1, position: 6 }, publication: 4, at: 0 });
  publications.record({ revision: { epoch: 1, position: 7 }, publication: 5, at: 0 });
  const clock = new FakeClock();
  const directory = new LocalNodeDirectory({
    streams: () => ({
      client: () => stream,
      oldestPending: (streamId) => (acknowledged.has(streamId) ? undefined : stream.oldestPending),
      resend: () => 2,
      collections: () => ({ named: [], asked: [] }),
    }),
    publications,
    clock,
    replica: "a",
    fleetOf: (group) => group,
    objectsOf: () => [],
    onSettled: () => {},
  });
  directory.opened(stream);
  return { directory, stream, described, clock };
}

it("describes the resources of a proxy only where each of them is asked for", () => {
  const { directory, stream, described } = withOneStream();
  directory.refused(stream);
  directory.progressed(stream, 5);
  expect(directory.nodes()[0]?.types).toMatchObject([{ state: "refused", known: 1_000, resources: [] }]);
  expect(directory.refusals()).toMatchObject([{ nodeId: "edge-1", resource: "web", message: "bad port" }]);
  expect(directory.progress(["edge-1"], { epoch: 1, position: 7 }).progress.get("edge-1")).toEqual({
    state: "refused",
    message: "Cluster web: bad port",
  });
  const sent = { typeUrl: "example.Cluster", name: "web" };
  expect(directory.nodes({ detail: "place", sent })).toHaveLength(1);
  expect(directory.nodes({ detail: "place", sent: { ...sent, name: "shop" } })).toEqual([]);
  expect(described.times).toBe(0);
  expect(directory.nodes({ id: "edge-1", detail: "resources" })[0]?.types[0]?.resources).toMatchObject([
    { name: "web" },
  ]);
  expect(described.times).toBe(1);
});

it("keeps a wait only from what came with its revision, where that stays because something else is refused", () => {
  const on = { typeUrl: "example.RouteConfiguration", name: "r" };
  const older = { ...web, name: "r", refused: { ...refused, publication: 3 } };
  const withRemovalOf = (publication: number) => [
    typeHolding({ typeUrl: on.typeUrl, shortName: "RDS", refused: [older] }),
    typeHolding({ typeUrl: "example.Cluster", shortName: "CDS", blocked: [{ name: "s", on, publication }] }),
  ];
  for (const [publication, expected] of [
    [5, { state: "held", message: "s: stays until RouteConfiguration r is accepted" }],
    [4, { state: "done" }],
    [6, { state: "done" }],
  ] as const) {
    const { directory, stream } = withOneStream(withRemovalOf(publication));
    directory.refused(stream);
    acknowledged.add(stream.streamId);
    expect(directory.progress(["edge-1"], { epoch: 1, position: 7 }).progress.get("edge-1")).toEqual(expected);
    acknowledged.delete(stream.streamId);
  }
});

it("does not take a proxy for done that is to be written to, though its stream has not said so yet", () => {
  const { directory, stream } = withOneStream([]);
  directory.progressed(stream, undefined);
  expect(directory.progress(["edge-1"], { epoch: 1, position: 7 }).progress.get("edge-1")).toEqual({
    state: "sent",
    message: "not acknowledged yet",
  });
});

it("waits for no older process of a proxy that a hot restart replaces, and for both of two proxies with one id", async () => {
  const { directory, stream, clock } = withOneStream([]);
  const ads = { ...stream, sole: "DeltaAggregatedResources" };
  const progress = () => directory.progress(["edge-1"], { epoch: 1, position: 7 }).progress.get("edge-1")?.state;
  directory.closed(stream, 5);
  const open = (streamId: string, port: number) =>
    directory.opened({ ...ads, streamId, peer: { address: `127.0.0.1:${port}` } });
  open("old", 1);
  await clock.advance(100);
  expect(progress()).toBe("sent");
  open("new", 2);
  expect(progress()).toBe("sent");
  acknowledged.add("new");
  expect(progress()).toBe("done");
  await clock.advance(60_000);
  expect(progress()).toBe("sent");
});

it("keeps only so many of the proxies that left, and none for longer than it says", async () => {
  const { directory, stream, clock } = withOneStream();
  const come = (id: string) => {
    const ref = { ...stream, streamId: id, node: { ...stream.node, id } };
    directory.opened(ref);
    directory.closed(ref, 5);
  };
  for (let index = 0; index < MAX_REMEMBERED + 500; index++) come(`invented-${index}`);
  const left = () => directory.nodes({ detail: "place" }).filter(({ connected }) => !connected);
  expect(left()).toHaveLength(MAX_REMEMBERED);
  expect(left().map(({ id }) => id)).not.toContain("invented-499");
  await clock.advance(REMEMBERED_MS + 1);
  come("last");
  expect(left().map(({ id }) => id)).toEqual(["last"]);
});

it("blames the resources that the text of a refusal names, however many it is about", () => {
  const many = Array.from({ length: 20_000 }, (_, index) => {
    return { ...web, name: `c${index}`, refused: { ...refused, message: `cluster c7 ${"x".repeat(2000)}` } };
  });
  const { directory, stream } = withOneStream([
    typeHolding({ typeUrl: "example.Cluster", shortName: "CDS", known: many.length, refused: many, resources: many }),
  ]);
  directory.refused(stream);
  const began = performance.now();
  expect(directory.refusals().map(({ resource }) => resource)).toEqual(["c7"]);
  // With each name looked for in the text once this takes milliseconds, and minutes for each pair of them.
  expect(performance.now() - began).toBeLessThan(5000);
});

it("tells of a proxy that left what it had of each type when it did, cut short, and describes no resource for that", () => {
  const long = { ...web, refused: { ...refused, message: "bad port ".repeat(1_000) } };
  const { directory, stream, described } = withOneStream();
  const { turnover } = directory;
  directory.closed(stream, 5);
  expect(directory.turnover).toBe(turnover + 1);
  const [left] = directory.nodes({ detail: "place" });
  expect(left).toMatchObject({ connected: false, types: [{ shortName: "CDS", state: "refused", known: 1_000 }] });
  expect(left?.types[0]?.refusals).toEqual([{ name: "web", message: "bad port" }]);
  expect(described.times).toBe(0);

  const wordy = withOneStream([typeHolding({ typeUrl: "example.Cluster", shortName: "CDS", refused: [long] })]);
  wordy.directory.closed(wordy.stream, 5);
  const [message = ""] = wordy.directory.nodes()[0]?.types[0]?.refusals.map((one) => one.message) ?? [];
  expect(message).toMatch(/^bad port .*… \(9,000 characters\)$/);
  expect(message.length).toBeLessThan(400);
});

it("goes through the streams with what is wrong on each, without describing what they have", async () => {
  const held = ["state_differs", "response_too_large"].map((why) => resourceHolding({ name: why, held: why }));
  const { directory, stream, described, clock } = withOneStream();
  expect(directory.connected).toBe(1);
  expect([...directory.standing()]).toMatchObject([{ node: { id: "edge-1", lagMs: 0 }, refusals: [], holds: [] }]);
  directory.refused(stream);
  await clock.advance(3_000);
  expect([...directory.standing()]).toMatchObject([
    { node: { fleet: "edge", lagMs: 3_000, types: [] }, refusals: [{ resource: "web" }], holds: [] },
  ]);
  expect(described.times).toBe(0);
  const other = withOneStream([typeHolding({ held })]);
  other.directory.refused(other.stream);
  expect([...other.directory.standing()]).toMatchObject([
    { refusals: [], holds: ["state_differs", "response_too_large"] },
  ]);
});
