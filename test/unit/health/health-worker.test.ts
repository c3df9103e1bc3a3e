/** Workers on a store in memory, with a prober and a clock that do what the test says. */
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Mirror } from "../../../src/control/mirror.ts";
import type { Observation } from "../../../src/domain/health-verdict.ts";
import { type Kind, storeKey } from "../../../src/domain/name.ts";
import { followAssignment } from "../../../src/duties/follow-assignment.ts";
import { startDuties } from "../../../src/duties/start-duties.ts";
import { HealthWorker } from "../../../src/health/health-worker.ts";
import type { SecondOpinion } from "../../../src/health/second-opinion.ts";
import type { Prober } from "../../../src/health/socket-prober.ts";
import { staleServices } from "../../../src/health/stale-checks.ts";
import { createHealthMetrics } from "../../../src/runtime/health-metrics.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { encodeStored } from "../../../src/schema/stored-object.ts";
import type { StateStore } from "../../../src/store/state-store.ts";
import { newContainment } from "../../support/containment.ts";
import { openMemoryStore } from "../../support/embedded-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeNodeDirectory } from "../../support/fake-node-directory.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const CAUSE = { actor: "test", operation: "test", reason: "", requestId: "" };
const OK: Observation = { outcome: "pass", reason: "HTTP 200", ambiguous: false, durationMs: 1 };
const REFUSED: Observation = { outcome: "fail", reason: "connection refused", ambiguous: false, durationMs: 1 };
const TIMEOUT: Observation = { outcome: "fail", reason: "timeout after 1000 ms", ambiguous: true, durationMs: 1000 };

let clock: FakeClock;
let store: StateStore;
let mirror: Mirror;
let duties: ReturnType<typeof startDuties>;
let live: string[];
let probes: { worker: string; port: number; at: number }[];
/** Of another observer: which of these do not answer it either. */
let secondOpinion: SecondOpinion;
const contained: unknown[] = [];
/** What the target on a port does. */
let behaviour: (port: number) => Observation | undefined;
const workers = new Map<string, { worker: HealthWorker; end: () => Promise<void> }>();
const stop = { all: new AbortController() };

beforeEach(async () => {
  clock = new FakeClock();
  const opened = await openMemoryStore({ clock });
  store = opened.state;
  mirror = new Mirror();
  stop.all = new AbortController();
  probes = [];
  behaviour = () => OK;
  secondOpinion = async () => [];
  live = [];
  void follow();
  await mirror.reach({ epoch: 0, position: 0 });
  duties = startDuties({
    mirror,
    store,
    clock,
    log: silentLogger,
    containment: newContainment(),
    lease: opened.lease,
    workers: () => live,
    nodes: new FakeNodeDirectory(),
    networksForNewFleets: [],
  });
});

afterEach(async () => {
  for (const { end } of workers.values()) await end();
  workers.clear();
  await duties.stop();
  stop.all.abort();
  await store.close();
});

async function follow(): Promise<void> {
  for await (const event of store.watch({ signal: stop.all.signal })) mirror.fold(event);
}

async function startWorker(name: string): Promise<HealthWorker> {
  const prober: Prober = {
    probe: async (target) => {
      const port = target.kind === "address" ? target.port : 0;
      probes.push({ worker: name, port, at: clock.monotonic() });
      return behaviour(port);
    },
  };
  const ending = new AbortController();
  const worker = new HealthWorker({
    name,
    mirror,
    store,
    prober,
    clock,
    random: seededRandom(7),
    log: silentLogger,
    metrics: createHealthMetrics(new Registry(), () => []),
    secondOpinion: (asked) => secondOpinion(asked),
    containment: { note: (...noted) => contained.push(noted) },
  });
  const following = followAssignment(
    { store, mirror, clock, log: silentLogger },
    { worker: name, onShare: (share) => worker.setShare(share), signal: ending.signal },
  );
  workers.set(name, {
    worker,
    end: async () => {
      ending.abort();
      await following;
      await worker.stop();
    },
  });
  await setLive([...live, name]);
  return worker;
}

async function setLive(names: string[]): Promise<void> {
  live = names;
  await clock.advance(600);
}

async function put(kind: Kind, name: string, json: object): Promise<void> {
  const read = messageFromJson(kind, { name, meta: { uid: `uid-of-${name}` }, ...json });
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  const value = encodeStored(kind, read.message);
  const { revision } = await store.commit({ ops: [{ op: "put", key: storeKey(kind, name), value }], cause: CAUSE });
  await mirror.reach(revision);
}

const checked = (more: object = {}) => ({ healthCheck: { tcp: {}, interval: "5s", timeout: "1s", ...more } });
const putBackends = async (service: string, first: number, count: number) => {
  for (let port = first; port < first + count; port++) {
    await put("backend", `${service}/b${port}`, { address: `10.0.0.1:${port}` });
  }
};
const verdictOf = (name: string) => mirror.get("health", `${name}/prober`);

describe("a worker", () => {
  beforeEach(async () => {
    await put("service", "shop", checked());
    await putBackends("shop", 1000, 1);
  });

  it("proves a new backend within two checks, the second of them soon", async () => {
    await startWorker("plane-a");
    await clock.advance(1200);
    expect(verdictOf("shop/b1000")).toMatchObject({
      status: "HEALTHY",
      observer: "plane-a",
      backendUid: "uid-of-shop/b1000",
      reason: "HTTP 200",
    });
  });

  it("writes nothing while nothing changes, and checks once per interval", async () => {
    await startWorker("plane-a");
    await clock.advance(10_000);
    const before = { revision: mirror.revision, probes: probes.length };
    await clock.advance(50_000);
    expect(mirror.revision).toEqual(before.revision);
    expect(probes.length - before.probes).toBe(10);
  });

  it("says so after three refused connections, faster than the interval", async () => {
    await startWorker("plane-a");
    await clock.advance(10_000);
    behaviour = () => REFUSED;
    await clock.advance(7100);
    expect(verdictOf("shop/b1000")).toMatchObject({ status: "UNHEALTHY", reason: "connection refused", inRow: 3 });
  });

  it("stops checking a backend that is unregistered, and a service whose check is taken away", async () => {
    const worker = await startWorker("plane-a");
    await putBackends("shop", 1001, 1);
    expect(worker.watched).toBe(2);
    await store.commit({ ops: [{ op: "delete", key: storeKey("backend", "shop/b1000") }], cause: CAUSE });
    await clock.advance(10);
    expect(worker.watched).toBe(1);
    await put("service", "shop", {});
    expect(worker.watched).toBe(0);
  });

  it("follows a check that becomes more frequent at once", async () => {
    await put("service", "shop", checked({ interval: "3600s" }));
    await startWorker("plane-a");
    await clock.advance(10_000);
    probes = [];
    await put("service", "shop", checked({ interval: "2s" }));
    await clock.advance(10_000);
    expect(probes.length).toBe(5);
  });

  it("makes intervals shorter by the jitter, each time anew, never longer", async () => {
    await put("service", "shop", checked({ jitterPercent: 50 }));
    await startWorker("plane-a");
    await clock.advance(10_000);
    probes = [];
    await clock.advance(100_000);
    const gaps = probes.slice(1).map(({ at }, i) => at - (probes[i]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5000);
    expect(new Set(gaps).size).toBe(gaps.length);
  });

  it("checks a backend on its own port for checks", async () => {
    await put("backend", "shop/b1000", { address: "10.0.0.1:1000", checkPort: 9000 });
    await startWorker("plane-a");
    await clock.advance(10_000);
    expect(new Set(probes.map(({ port }) => port))).toEqual(new Set([9000]));
  });

  it("keeps the newest checks for people, the newest first", async () => {
    const worker = await startWorker("plane-a");
    await clock.advance(30_000);
    behaviour = () => REFUSED;
    await clock.advance(5000);
    const recent = worker.recent("shop/b1000");
    expect(recent?.worker).toBe("plane-a");
    expect(recent?.checks.map(({ reason }) => reason)).toContain("HTTP 200");
    expect(recent?.checks).toHaveLength(5);
    expect(recent?.checks[0]?.reason).toBe("connection refused");
    expect(worker.recent("shop/another")).toBeUndefined();
  });

  it("begins anew with a backend of the same name", async () => {
    await startWorker("plane-a");
    await clock.advance(5000);
    await put("backend", "shop/b1000", { address: "10.0.0.1:1000", meta: { uid: "another" } });
    await clock.advance(1200);
    expect(verdictOf("shop/b1000")).toMatchObject({ status: "HEALTHY", backendUid: "another" });
  });

  it("takes what the machine could not try for nothing, and calls the service stale", async () => {
    const worker = await startWorker("plane-a");
    await clock.advance(10_000);
    behaviour = () => undefined;
    await clock.advance(10_000);
    const stale = () => staleServices(worker.ages(), clock.now());
    expect(stale().size).toBe(0);
    await clock.advance(10_000);
    expect(stale().get("shop")).toMatchObject({ backends: 1 });
    expect(verdictOf("shop/b1000")?.status).toBe("HEALTHY");
  });

  it("writes what it could not write while the store was away", async () => {
    await startWorker("plane-a");
    await clock.advance(10_000);
    const away = vi.spyOn(store, "commit").mockRejectedValue(new Error("away"));
    behaviour = () => REFUSED;
    await clock.advance(20_000);
    expect(verdictOf("shop/b1000")?.status).toBe("HEALTHY");
    away.mockRestore();
    await clock.advance(3000);
    expect(verdictOf("shop/b1000")?.status).toBe("UNHEALTHY");
  });
});

describe("several workers", () => {
  beforeEach(async () => {
    await put("service", "shop", checked());
    await putBackends("shop", 1000, 40);
  });

  it("check each backend once per interval among them", async () => {
    await startWorker("plane-a");
    await startWorker("plane-b");
    await startWorker("plane-c");
    await clock.advance(15_000);
    probes = [];
    await clock.advance(10_000);
    const perPort = new Map<number, number>();
    for (const { port } of probes) perPort.set(port, (perPort.get(port) ?? 0) + 1);
    expect([...perPort.values()]).toEqual(Array.from({ length: 40 }, () => 2));
    expect(new Set(probes.map(({ worker }) => worker)).size).toBe(3);
  });

  it("spread evenly what came together", async () => {
    await startWorker("plane-a");
    await putBackends("shop", 2000, 160);
    await clock.advance(20_000);
    probes = [];
    await clock.advance(5000);
    const from = clock.monotonic() - 5000;
    const perSecond = [0, 1, 2, 3, 4].map(
      (second) => probes.filter(({ at }) => Math.floor((at - from) / 1000) === second).length,
    );
    expect(Math.min(...perSecond)).toBeGreaterThan(25);
    expect(Math.max(...perSecond)).toBeLessThan(55);
  });

  it("take over the share of one that is gone, from its stored verdicts", async () => {
    await startWorker("plane-a");
    await startWorker("plane-b");
    await clock.advance(15_000);
    const before = mirror.revision;
    await workers.get("plane-b")?.end();
    await setLive(["plane-a"]);
    await clock.advance(10_000);
    expect(workers.get("plane-a")?.worker.watched).toBe(40);
    // The shares were written anew, and no verdict.
    expect(mirror.revision.position - before.position).toBe(1);
  });

  it("cannot write once another has the share", async () => {
    await startWorker("plane-a");
    await clock.advance(15_000);
    const stale = workers.get("plane-a")?.worker;
    await setLive(["plane-b"]);
    // A worker that did not hear of it: it hung, or was cut off.
    const old = { key: "assign/plane-a", revision: { epoch: 1, position: 1 } };
    stale?.setShare({ assignment: { workers: ["plane-a"], round: 1 }, fencingToken: old });
    behaviour = () => REFUSED;
    await clock.advance(20_000);
    expect(verdictOf("shop/b1000")?.status).toBe("HEALTHY");
    expect(stale?.watched).toBe(0);
  });
});

describe("a worker that comes to a verdict while it cannot write, and is told its share then", () => {
  it.each([
    ["forgets the verdict where another may have had the share in between", 2, "HEALTHY"],
    ["writes it where the share was its own all the time", 1, "UNHEALTHY"],
  ])("%s", async (_, rounds, status) => {
    await put("service", "shop", checked());
    await putBackends("shop", 1000, 1);
    const worker = await startWorker("plane-a");
    await clock.advance(10_000);
    const away = vi.spyOn(store, "commit").mockRejectedValue(new Error("away"));
    behaviour = () => REFUSED;
    await clock.advance(20_000);
    behaviour = () => OK;
    const assignment = { workers: ["plane-a"], round: (worker.assignment?.round ?? 0) + rounds };
    const key = "assign/plane-a";
    const revision = (await store.get(key))?.revision ?? { epoch: 0, position: 0 };
    worker.setShare({ assignment, fencingToken: { key, revision } });
    away.mockRestore();
    await clock.advance(2100);
    expect(verdictOf("shop/b1000")?.status).toBe(status);
  });
});

describe("a mass failure", () => {
  beforeEach(async () => {
    for (const [service, first] of [
      ["shop", 1000],
      ["pay", 2000],
    ] as const) {
      await put("service", service, checked({ interval: "2s" }));
      await putBackends(service, first, 10);
    }
    await startWorker("plane-a");
    await clock.advance(10_000);
  });

  const unhealthy = () => [...mirror.all("health")].filter(({ status }) => status === "UNHEALTHY").length;

  it("of timeouts waits ten seconds, then is believed", async () => {
    behaviour = () => TIMEOUT;
    await clock.advance(9000);
    expect(unhealthy()).toBe(0);
    await clock.advance(10_000);
    expect(unhealthy()).toBe(20);
  });

  it("of timeouts is believed as soon as another observer sees the same, of the backends it sees", async () => {
    behaviour = () => TIMEOUT;
    secondOpinion = async (asked) => asked.filter((name) => name.startsWith("pay/"));
    await clock.advance(9000);
    const down = [...mirror.all("health")].filter(({ status }) => status === "UNHEALTHY");
    expect(new Set(down.map(({ backend }) => backend.split("/")[0]))).toEqual(new Set(["pay"]));
    expect(down).toHaveLength(10);
    expect(workers.get("plane-a")?.worker.findings()).toMatchObject([
      { what: expect.stringContaining("mass failure") },
    ]);
  });

  it("of timeouts that ends in time leaves no trace", async () => {
    behaviour = () => TIMEOUT;
    await clock.advance(8000);
    behaviour = () => OK;
    await clock.advance(20_000);
    expect(unhealthy()).toBe(0);
  });

  it("of timeouts is seen when one failure is enough for a verdict, too", async () => {
    for (const service of ["shop", "pay"])
      await put("service", service, checked({ interval: "2s", unhealthyThreshold: 1 }));
    await clock.advance(10_000);
    behaviour = () => TIMEOUT;
    await clock.advance(9000);
    // Those before the tenth were not many yet.
    expect(unhealthy()).toBe(9);
    expect(workers.get("plane-a")?.worker.findings()).toMatchObject([
      { what: expect.stringContaining("mass failure") },
    ]);
    await clock.advance(10_000);
    expect(unhealthy()).toBe(20);
  });

  it("is none when one after the other fails, each in an interval of its own", async () => {
    for (const service of ["shop", "pay"])
      await put("service", service, checked({ interval: "2s", unhealthyThreshold: 1 }));
    await clock.advance(10_000);
    const order = Array.from({ length: 14 }, (_, i) => (i % 2 === 0 ? 1000 : 2000) + Math.floor(i / 2));
    for (let failing = 1; failing <= order.length; failing++) {
      behaviour = (port) => (order.slice(0, failing).includes(port) ? TIMEOUT : OK);
      await clock.advance(4100);
      expect(unhealthy()).toBe(failing);
    }
    expect(workers.get("plane-a")?.worker.findings()).toEqual([]);
  });

  it("of refused connections is believed at once", async () => {
    behaviour = () => REFUSED;
    await clock.advance(5000);
    expect(unhealthy()).toBe(20);
  });

  it("of a few, or of one service alone, is none", async () => {
    behaviour = (port) => (port < 2000 ? TIMEOUT : OK);
    await clock.advance(5000);
    expect(unhealthy()).toBe(10);
  });
});

describe("damping", () => {
  const check = { interval: "1s", changingInterval: "1s", unhealthyThreshold: 1, healthyThreshold: 1 };
  const routable = () =>
    [...mirror.all("health")].filter(({ status }) => status === "HEALTHY").map(({ backend }) => backend);

  beforeEach(async () => {
    await put("service", "shop", checked(check));
    await putBackends("shop", 1000, 3);
    await startWorker("plane-a");
    await clock.advance(10_000);
  });

  async function flap(fails: (port: number) => boolean): Promise<void> {
    for (let i = 0; i < 3; i++) {
      behaviour = (port) => (fails(port) ? REFUSED : OK);
      await clock.advance(2100);
      behaviour = () => OK;
      await clock.advance(2100);
    }
  }

  it("holds one of several", async () => {
    await flap((port) => port === 1001);
    expect(routable()).toEqual(["shop/b1000", "shop/b1002"]);
    await clock.advance(60_000);
    expect(routable()).toHaveLength(3);
  });

  it("holds none when all have flapped together: all are back as soon as their checks are good", async () => {
    await flap(() => true);
    expect(routable()).toHaveLength(3);
    expect(verdictOf("shop/b1000")?.reason).toBe("HTTP 200 (flapping, but no other serves)");
  });

  it.each<[string, () => Promise<void>]>([
    ["drain", () => drain(1000, 1002)],
    ["are removed", () => remove(1000, 1002)],
  ])("lets go at once of one that is well when the others %s", async (_, happens) => {
    await flap((port) => port === 1001);
    expect(verdictOf("shop/b1001")?.status).toBe("UNHEALTHY");
    const before = probes.length;
    await happens();
    await clock.advance(10);
    expect(verdictOf("shop/b1001")?.status).toBe("HEALTHY");
    expect(probes).toHaveLength(before);
  });

  it("lets go of one that is well when the others fail, as soon as their verdicts are written", async () => {
    await flap((port) => port === 1001);
    behaviour = (port) => (port === 1001 ? OK : REFUSED);
    await clock.advance(1100);
    expect(routable()).toEqual(["shop/b1001"]);
  });

  async function drain(...ports: readonly number[]): Promise<void> {
    for (const port of ports) await put("backend", `shop/b${port}`, { address: `10.0.0.1:${port}`, state: "DRAINING" });
  }

  async function remove(...ports: readonly number[]): Promise<void> {
    const ops = ports.map((port) => ({ op: "delete", key: storeKey("backend", `shop/b${port}`) }) as const);
    await store.commit({ ops, cause: CAUSE });
  }
});
