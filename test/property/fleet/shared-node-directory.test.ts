import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LocalNodeDirectory } from "../../../src/fleet/local-node-directory.ts";
import { type NodeView, REMEMBERED_MS } from "../../../src/fleet/node-directory.ts";
import { toNodeList } from "../../../src/fleet/peer-messages.ts";
import { SharedNodeDirectory } from "../../../src/fleet/shared-node-directory.ts";
import type { StreamStatus } from "../../../src/fleet/stream-status.ts";
import { NodeListSchema } from "../../../src/gen/fairlead/peers/v1/proxies_pb.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { PeerNetwork } from "../../support/peer-network.ts";

const REPLICAS = ["a", "b", "c"] as const;
const NODES = ["edge-1", "edge-2", "edge-3", "edge-4"] as const;
const REVISION = { epoch: 1, position: 7 };

type Step = { readonly node: string; readonly replica: string; readonly act: "open" | "close" | "settle" };

const steps = fc.array(
  fc.record<Step>({
    node: fc.constantFrom(...NODES),
    replica: fc.constantFrom(...REPLICAS),
    act: fc.constantFrom("open", "open", "close", "settle"),
  }),
  { maxLength: 40 },
);

/** A replica whose streams hold one listener each; a stream owes the revision until it is told to settle. */
class Replica {
  readonly name: string;
  readonly local: LocalNodeDirectory;
  readonly shared: SharedNodeDirectory;
  readonly streams = new Map<string, StreamStatus>();

  constructor(name: string, network: PeerNetwork, clock: FakeClock) {
    this.name = name;
    const published = { revision: REVISION, publication: 1, at: 0 };
    this.local = new LocalNodeDirectory({
      streams: {
        describe: (streamId) => this.streams.get(streamId),
        oldestPending: (streamId) => this.streams.get(streamId)?.oldestPending,
        content: () => undefined,
        resend: () => 0,
        collections: () => ({ named: [], asked: [] }),
      },
      publications: {
        publicationOf: () => 1,
        publicationBefore: () => 0,
        settledBy: () => published,
        firstAt: () => published,
        settle: () => {},
        settledAfter: () => undefined,
        last: published,
      },
      clock,
      replica: name,
      fleetOf: (group) => group,
      objectsOf: () => [],
      onSettled: () => {},
    });
    this.shared = new SharedNodeDirectory({ local: this.local, peers: network.join(name), clock });
  }

  open(id: string): void {
    if (this.streams.has(id)) return;
    const resource = { name: "web", sent: "v1", acked: undefined, unknown: false, refused: undefined, held: undefined };
    const stream: StreamStatus = {
      streamId: id,
      node: { id, cluster: "edge", userAgentVersion: "1.40.0" },
      peer: { address: "127.0.0.1:1" },
      variant: "delta",
      group: "edge",
      sole: "DeltaAggregatedResources",
      silent: undefined,
      duplicate: false,
      oldestPending: 1,
      types: [
        {
          typeUrl: "listener",
          shortName: "LDS",
          inFlight: ["1"],
          known: 1,
          refused: [],
          held: [],
          resources: [resource],
          resource: (name) => (name === "web" ? resource : undefined),
        },
      ],
    };
    this.streams.set(id, stream);
    this.local.opened(stream);
    this.local.progressed(stream, 1);
  }

  close(id: string): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    this.streams.delete(id);
    this.local.closed(stream);
  }

  settle(id: string): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    this.streams.set(id, { ...stream, oldestPending: undefined });
    this.local.progressed(stream, undefined);
  }

  owes(id: string): boolean {
    return this.streams.get(id)?.oldestPending !== undefined;
  }
}

async function play(taken: readonly Step[]) {
  const clock = new FakeClock();
  const network = new PeerNetwork();
  const replicas = REPLICAS.map((name) => new Replica(name, network, clock));
  for (const { node, replica, act } of taken) {
    await clock.advance(1);
    replicas.find(({ name }) => name === replica)?.[act](node);
  }
  return { network, clock, replicas };
}

describe("a directory over several replicas", () => {
  it("gives the same answer whichever replica is asked", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const { replicas } = await play(taken);
        const [first, ...others] = await Promise.all(
          replicas.map(async ({ shared }) => ({
            nodes: await shared.nodes(),
            progress: await shared.progress(NODES, REVISION),
            refusals: await shared.refusals(),
          })),
        );
        for (const other of others) expect(other).toEqual(first);
      }),
    );
  });

  it("lists a proxy where it is connected, and once where it is away; an id in use twice is a duplicate", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const { replicas } = await play(taken);
        const { told } = await (replicas[0] as Replica).shared.nodes();
        for (const id of NODES) {
          const holders = replicas.filter(({ streams }) => streams.has(id)).map(({ name }) => name);
          const listed = told.filter((node) => node.id === id);
          const isKnown = taken.some(({ node, act }) => node === id && act === "open");
          if (holders.length > 0) expect(listed.map(({ replica }) => replica).toSorted()).toEqual(holders);
          else expect(listed).toHaveLength(isKnown ? 1 : 0);
          expect(listed.every(({ connected }) => connected === holders.length > 0)).toBe(true);
          expect(listed.every(({ duplicate }) => duplicate === holders.length > 1)).toBe(true);
        }
      }),
    );
  });

  it("never counts as done what a stream owes, nor what only a silent replica could know", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.option(fc.constantFrom(...REPLICAS.slice(1))), async (taken, silent) => {
        const { network, replicas } = await play(taken);
        if (silent !== null) network.silence(silent, true);
        const heard = replicas.filter(({ name }) => name !== silent);
        const { shared } = replicas[0] as Replica;
        const { progress } = await shared.progress(NODES, REVISION);
        for (const id of NODES) {
          const holders = heard.filter(({ streams }) => streams.has(id));
          const state = progress.get(id)?.state;
          if (holders.some((holder) => holder.owes(id))) expect(state).toBe("sent");
          else if (holders.length > 0) expect(state).toBe("done");
          else expect(state).toBe(silent === null ? "disconnected" : "unknown");
        }
        expect((await shared.nodes()).unknown.map(({ replica }) => replica)).toEqual(silent === null ? [] : [silent]);
      }),
    );
  });

  it("still awaits the proxies of a replica that took its leave", async () => {
    const { network, replicas } = await play([{ node: "edge-1", replica: "b", act: "open" }]);
    const [a, b] = replicas as [Replica, Replica, Replica];
    b.close("edge-1");
    await b.shared.farewell();
    network.leave("b");
    const { told } = await a.shared.nodes();
    expect(told).toMatchObject([{ id: "edge-1", connected: false, replica: "b" }]);
    expect((await a.shared.progress(["edge-1"], REVISION)).progress.get("edge-1")?.state).toBe("disconnected");
    a.open("edge-1");
    a.settle("edge-1");
    expect((await a.shared.progress(["edge-1"], REVISION)).progress.get("edge-1")?.state).toBe("done");
  });

  it("takes nothing from garbage, and says of who answers with it that nobody knows", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom("proxies", "progress", "refusals"),
        async (bytes, topic) => {
          const { network, replicas } = await play([{ node: "edge-1", replica: "b", act: "open" }]);
          const liar = network.join("liar");
          for (const each of ["proxies", "progress", "refusals"]) liar.answer(each, async () => new Uint8Array());
          liar.answer(topic, async () => bytes);
          const { shared } = replicas[0] as Replica;
          const { told } = await shared.nodes();
          expect(told.find(({ id }) => id === "edge-1")).toMatchObject({ connected: true, replica: "b" });
          expect((await shared.progress(["edge-1"], REVISION)).progress.size).toBe(1);
          await shared.refusals();
          await liar.ask("farewell", bytes, { timeoutMs: 1 });
          await liar.ask("proxies", bytes, { timeoutMs: 1 });
          await liar.ask("progress", bytes, { timeoutMs: 1 });
        },
      ),
    );
    const { network, replicas } = await play([]);
    network.join("liar").answer("proxies", async () => Buffer.from("no protobuf"));
    const { unknown } = await (replicas[0] as Replica).shared.nodes();
    expect(unknown).toMatchObject([{ replica: "liar" }]);
  });

  it("believes a replica of the proxies that are connected to it, and of none that are elsewhere", async () => {
    const { network, replicas } = await play([{ node: "edge-1", replica: "b", act: "open" }]);
    const view = { ...((await (replicas[0] as Replica).shared.nodes()).told[0] as NodeView), since: Number.NaN };
    const ids = ["edge-1", "edge-9", "x".repeat(2000)];
    const claims = toNodeList(
      ids.flatMap((id) => ["b", "liar"].map((replica) => ({ ...view, id, replica, lagMs: Number.NaN }))),
    );
    network.join("liar").answer("proxies", async () => toBinary(NodeListSchema, claims));
    const { told } = await (replicas[0] as Replica).shared.nodes();
    expect(told.map(({ id, replica }) => `${id} ${replica}`)).toEqual(["edge-1 b", "edge-1 liar", "edge-9 liar"]);
    expect(told.every(({ since, lagMs }) => Number.isFinite(since) && Number.isFinite(lagMs))).toBe(true);
  });

  it("forgets what a farewell told, however far ahead its times lie", async () => {
    const { network, clock, replicas } = await play([{ node: "edge-1", replica: "b", act: "open" }]);
    const { shared } = replicas[0] as Replica;
    const [view] = (await shared.nodes()).told as [NodeView];
    const ghosts = [4e12, Number.POSITIVE_INFINITY, Number.NaN, -1].map((since, i) => {
      return { ...view, id: `ghost-${i}`, replica: "liar", since, connected: i === 0 };
    });
    const liar = network.join("liar");
    for (const topic of ["proxies", "progress"]) liar.answer(topic, async () => new Uint8Array());
    await liar.ask("farewell", toBinary(NodeListSchema, toNodeList(ghosts)), { timeoutMs: 1 });
    const listed = async () => (await shared.nodes()).told.map(({ id, connected }) => [id, connected]);
    expect(await listed()).toEqual([["edge-1", true], ...[1, 2, 3].map((i) => [`ghost-${i}`, false])]);
    await clock.advance(REMEMBERED_MS + 1);
    expect(await listed()).toEqual([["edge-1", true]]);
  });

  it("asks with a few ids or for all, and gets the same", async () => {
    const { replicas } = await play([{ node: "edge-1", replica: "b", act: "open" }]);
    const [a, b] = replicas as [Replica, Replica, Replica];
    b.settle("edge-1");
    const many = ["edge-1", ...Array.from({ length: 500 }, (_, i) => `other-${i}`)];
    const { progress } = await a.shared.progress(many, REVISION);
    expect(progress.get("edge-1")?.state).toBe("done");
    expect([...progress.values()].filter(({ state }) => state === "disconnected")).toHaveLength(500);
  });
});
