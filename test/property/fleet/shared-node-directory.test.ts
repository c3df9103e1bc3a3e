import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LocalNodeDirectory } from "../../../src/fleet/local-node-directory.ts";
import { REMEMBERED_MS, type ToldNode } from "../../../src/fleet/node-directory.ts";
import { toNodeList } from "../../../src/fleet/peer-messages.ts";
import { PublicationLog } from "../../../src/fleet/publication-log.ts";
import { SharedNodeDirectory } from "../../../src/fleet/shared-node-directory.ts";
import { NodeListSchema } from "../../../src/gen/fairlead/peers/v1/proxies_pb.ts";
import type { StreamHolding } from "../../../src/xds/protocol/stream-holding.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { resourceHolding, typeHolding } from "../../support/holdings.ts";
import { PeerNetwork } from "../../support/peer-network.ts";

const REPLICAS = ["a", "b", "c"] as const;
const NODES = ["edge-1", "edge-2", "edge-3", "edge-4"] as const;
const REVISION = { epoch: 1, position: 7 };

/** After this, two streams of one id are not those of a hot restart. */
const HOT_RESTART_MS = 31_000;

const revisionOf = (publication: number) => ({ epoch: 1, position: REVISION.position + publication - 1 });

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
  readonly streams = new Map<string, StreamHolding>();
  readonly resent: string[] = [];
  readonly log = new PublicationLog();

  constructor(name: string, network: PeerNetwork, clock: FakeClock) {
    this.name = name;
    this.log.record({ revision: REVISION, publication: 1, at: 0 });
    this.local = new LocalNodeDirectory({
      streams: () => ({
        client: (streamId) => this.streams.get(streamId),
        oldestPending: (streamId) => this.streams.get(streamId)?.oldestPending,
        resend: (streamId, typeUrl) => {
          this.resent.push(`${streamId} ${typeUrl}`);
          return 2;
        },
        collections: () => ({ named: [], asked: [] }),
      }),
      publications: this.log,
      clock,
      replica: name,
      fleetOf: (group) => group,
      objectsOf: () => [],
      onSettled: () => {},
    });
    this.shared = new SharedNodeDirectory({ local: this.local, peers: network.join(name), clock });
  }

  open(id: string, owed: number | "nothing" = 1): void {
    if (this.streams.has(id)) return;
    const resource = resourceHolding({ name: "web", sent: "v1", acked: undefined });
    const stream: StreamHolding = {
      streamId: id,
      node: { id, cluster: "edge", userAgentName: "envoy", userAgentVersion: "1.40.0" },
      peer: { address: "127.0.0.1:1" },
      variant: "delta",
      group: "edge",
      sole: "DeltaAggregatedResources",
      silent: undefined,
      duplicate: false,
      oldestPending: owed === "nothing" ? undefined : owed,
      types: [
        typeHolding({
          typeUrl: "listener",
          inFlight: [{ nonce: "1", sentAt: 0, resources: 1 }],
          resources: [resource],
          resource: (name) => (name === "web" ? resource : undefined),
          content: () => `{"of":"listener"}`,
        }),
      ],
    };
    this.streams.set(id, stream);
    this.local.opened(stream);
    this.local.progressed(stream, stream.oldestPending);
  }

  close(id: string): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    this.streams.delete(id);
    this.local.closed(stream, stream.oldestPending);
  }

  settle(id: string): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    this.streams.set(id, { ...stream, oldestPending: undefined });
    this.local.progressed(stream, undefined);
  }

  /** A commit that changes what one fleet's proxies are to have. */
  publish(fleet: string, publication: number): void {
    for (const [id, stream] of fleet === "edge" ? this.streams : []) {
      const oldestPending = stream.oldestPending ?? publication;
      this.streams.set(id, { ...stream, oldestPending });
      this.local.progressed(stream, oldestPending);
    }
    this.local.published(fleet, publication);
    this.log.record({ revision: revisionOf(publication), publication, at: 0 });
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
  await clock.advance(HOT_RESTART_MS);
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

  it("has a proxy sent again what it should have by the replica that holds it, and tells what it was sent", async () => {
    const [id] = NODES;
    const { replicas } = await play([{ node: id, replica: REPLICAS[1], act: "open" }]);
    const [asked, holder] = replicas;
    expect(await asked?.shared.resend(id, "listener")).toEqual({ told: 2, unknown: [] });
    expect(holder?.resent).toEqual([`${id} listener`]);
    const onItsWay = async (typeUrl: string | undefined) =>
      (await asked?.shared.progress([id], REVISION, { typeUrl }))?.progress.get(id)?.state;
    expect([await onItsWay("listener"), await onItsWay("cluster"), await onItsWay(undefined)]).toEqual([
      ...["sent", "done", "sent"],
    ]);
    expect(await asked?.shared.resend("nobody", undefined)).toEqual({ told: undefined, unknown: [] });
    const contents = async (typeUrl: string) => {
      const { told } = (await asked?.shared.nodes({ id, detail: "contents", typeUrl })) ?? { told: [] };
      return told.flatMap(({ types }) => types).flatMap(({ resources }) => resources.map(({ content }) => content));
    };
    expect(await contents("listener")).toEqual(['{"of":"listener"}']);
    expect(await contents("cluster")).toEqual([]);
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

  it("is one proxy while a hot restart replaces its process by one that is connected elsewhere, and waits for that one", async () => {
    const [id] = NODES;
    const { clock, replicas } = await play([{ node: id, replica: REPLICAS[1], act: "open" }]);
    const [asked, old, young] = replicas as [Replica, Replica, Replica];
    young.open(id);
    const stateOf = async () => (await asked.shared.progress([id], REVISION)).progress.get(id)?.state;
    const listed = async () => (await asked.shared.nodes()).told.map(({ replica, duplicate }) => [replica, duplicate]);
    expect(await listed()).toEqual([[young.name, false]]);
    expect(await stateOf()).toBe("sent");
    young.settle(id);
    expect(await stateOf()).toBe("done");
    old.close(id);
    expect([await stateOf(), await listed()]).toEqual(["done", [[young.name, false]]]);
    old.open(id);
    await clock.advance(HOT_RESTART_MS);
    expect(await stateOf(), "two proxies").toBe("sent");
    expect(await listed()).toHaveLength(2);
  });

  it("forgets a proxy that is away on all replicas", async () => {
    const [id] = NODES;
    const { replicas } = await play([
      { node: id, replica: REPLICAS[1], act: "open" },
      { node: id, replica: REPLICAS[1], act: "close" },
    ]);
    const { shared } = replicas[0] as Replica;
    expect((await shared.nodes()).told).toHaveLength(1);
    await shared.forget(id);
    expect((await shared.nodes()).told).toEqual([]);
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

  it("awaits a proxy that is away where something has been due since what it acknowledged, and no other", async () => {
    const moves = fc.array(
      fc.oneof(
        fc.record({
          node: fc.constantFrom(...NODES),
          replica: fc.constantFrom(...REPLICAS),
          act: fc.constantFrom("open", "close", "settle"),
        }),
        fc.record({ act: fc.constant("publish"), fleet: fc.constantFrom("edge", "other") }),
      ),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(moves, async (taken) => {
        const { clock, replicas } = await play([]);
        const due = [1];
        const acknowledged = new Map<string, number>();
        let published = 1;
        for (const move of taken) {
          // Longer than clocks may be apart, and than a proxy takes to ask for all types.
          await clock.advance(6000);
          if ("fleet" in move) {
            published += 1;
            if (move.fleet === "edge") due.push(published);
            for (const replica of replicas) replica.publish(move.fleet, published);
          } else if (move.act === "open") {
            for (const replica of replicas) if (replica.name !== move.replica) replica.close(move.node);
            const owed = due.find((publication) => publication > (acknowledged.get(move.node) ?? 0));
            replicas.find(({ name }) => name === move.replica)?.open(move.node, owed ?? "nothing");
          } else {
            const holder = replicas.find(({ streams }) => streams.has(move.node));
            if (move.act === "settle" && holder) acknowledged.set(move.node, published);
            holder?.[move.act](move.node);
          }
        }
        await clock.advance(6000);
        for (let publication = 1; publication <= published; publication++) {
          const { progress } = await (replicas[0] as Replica).shared.progress(NODES, revisionOf(publication));
          for (const id of NODES) {
            if (replicas.some(({ streams }) => streams.has(id))) continue;
            const isDue = due.some((one) => one <= publication && one > (acknowledged.get(id) ?? 0));
            expect([id, publication, progress.get(id)?.state]).toEqual([
              id,
              publication,
              isDue ? "disconnected" : "done",
            ]);
          }
        }
      }),
    );
  });

  it("takes a proxy that left at once for one that still owes what it owed before", async () => {
    const { clock, replicas } = await play([{ node: "edge-1", replica: "a", act: "open" }]);
    const [a, b] = replicas as [Replica, Replica, Replica];
    const state = async () => (await a.shared.progress(["edge-1"], REVISION)).progress.get("edge-1")?.state;
    await clock.advance(100);
    a.close("edge-1");
    b.open("edge-1", "nothing");
    await clock.advance(100);
    expect(await state()).toBe("done");
    b.close("edge-1");
    expect(await state()).toBe("disconnected");
    await clock.advance(6000);
    a.open("edge-1", "nothing");
    await clock.advance(6000);
    a.close("edge-1");
    expect(await state()).toBe("done");
    a.open("edge-1", "nothing");
    a.close("edge-1");
    expect(await state()).toBe("done");
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

  it("knows of a proxy that a leaving replica held what it owes", async () => {
    const { clock, network, replicas } = await play([
      { node: "edge-1", replica: "b", act: "open" },
      { node: "edge-1", replica: "b", act: "settle" },
    ]);
    const [a, b, c] = replicas as [Replica, Replica, Replica];
    // Long after it connected: what it owes counts from when it left.
    await clock.advance(REMEMBERED_MS + 1);
    b.close("edge-1");
    await b.shared.farewell();
    network.leave("b");
    const state = async (publication: number) =>
      (await a.shared.progress(["edge-1"], revisionOf(publication))).progress.get("edge-1")?.state;
    for (const each of [a, c]) each.publish("other", 2);
    expect(await state(2)).toBe("done");
    for (const each of [a, c]) each.publish("edge", 3);
    expect([await state(2), await state(3)]).toEqual(["done", "disconnected"]);
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
    const node = { ...((await (replicas[0] as Replica).shared.nodes()).told[0] as ToldNode), since: Number.NaN };
    const ids = ["edge-1", "edge-9", "x".repeat(2000)];
    const peer = "10.0.0.9:1";
    const claims = toNodeList(
      ids.flatMap((id) => ["b", "liar"].map((replica) => ({ ...node, id, replica, peer, lagMs: Number.NaN }))),
    );
    network.join("liar").answer("proxies", async () => toBinary(NodeListSchema, claims));
    const { told } = await (replicas[0] as Replica).shared.nodes();
    expect(told.map(({ id, replica }) => `${id} ${replica}`)).toEqual(["edge-1 b", "edge-1 liar", "edge-9 liar"]);
    expect(told.every(({ since, lagMs }) => Number.isFinite(since) && Number.isFinite(lagMs))).toBe(true);
  });

  it("forgets what a farewell told, however far ahead its times lie", async () => {
    const { network, clock, replicas } = await play([{ node: "edge-1", replica: "b", act: "open" }]);
    const { shared } = replicas[0] as Replica;
    const [node] = (await shared.nodes()).told as [ToldNode];
    const ghosts = [4e12, Number.POSITIVE_INFINITY, Number.NaN, -1].map((since, i) => {
      return { ...node, id: `ghost-${i}`, replica: "liar", since, connected: i === 0 };
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
