import { expect, it } from "vitest";
import { LocalNodeDirectory } from "../../../src/fleet/local-node-directory.ts";
import type { StreamResource, StreamStatus } from "../../../src/fleet/stream-status.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const refused = { version: "2", message: "bad port", at: 0, publication: 5 };
const web = { name: "web", sent: "2", acked: "1", unknown: true, refused, held: undefined };

/** A stream with many clusters, one of which it refuses; counts how often all of them are described. */
function withOneStream(types?: StreamStatus["types"]) {
  const described = { times: 0 };
  const stream: StreamStatus = {
    streamId: "1",
    node: { id: "edge-1", cluster: "edge", userAgentVersion: "1.40.0" },
    peer: { address: "127.0.0.1:1" },
    variant: "delta",
    group: "edge",
    silent: undefined,
    duplicate: false,
    oldestPending: 5,
    types: types ?? [
      {
        typeUrl: "example.Cluster",
        shortName: "CDS",
        inFlight: [],
        known: 1_000,
        refused: [web],
        held: [],
        get resources(): readonly StreamResource[] {
          described.times += 1;
          return [web];
        },
        resource: (name) => (name === "web" ? web : undefined),
      },
    ],
  };
  const published = { revision: { epoch: 1, position: 7 }, publication: 5, at: 0 };
  const directory = new LocalNodeDirectory({
    streams: {
      describe: () => stream,
      oldestPending: () => stream.oldestPending,
      collections: () => ({ named: [], asked: [] }),
    },
    publications: {
      publicationOf: () => 5,
      publicationBefore: () => 4,
      settledBy: () => published,
      firstAt: () => published,
      settle: () => {},
      settledAfter: () => undefined,
      last: published,
    },
    clock: new FakeClock(),
    replica: "a",
    fleetOf: (group) => group,
    objectsOf: () => [],
    onSettled: () => {},
  });
  directory.opened(stream);
  return { directory, stream, described };
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

it("does not take a proxy for done that is to be written to, though its stream has not said so yet", () => {
  const { directory, stream } = withOneStream([]);
  directory.progressed(stream, undefined);
  expect(directory.progress(["edge-1"], { epoch: 1, position: 7 }).progress.get("edge-1")).toEqual({
    state: "sent",
    message: "not acknowledged yet",
  });
});
