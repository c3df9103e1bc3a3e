/**
 * Three planes on three real nats-servers check backends that count what they are asked, while workers are killed, paused
 * and cut off.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MASS_FAILURE_MAX_WAIT_MS } from "../../src/domain/mass-failure.ts";
import { parseStoreKey, serviceOf } from "../../src/domain/name.ts";
import { workerOf } from "../../src/duties/assign.ts";
import { type Health, Health_Status as Status } from "../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { decodeStored } from "../../src/schema/stored-object.ts";
import { ASSIGNMENT } from "../../src/store/keys/assignment-record.ts";
import { leaseKey } from "../../src/store/lease.ts";
import type { WatchEvent } from "../../src/store/state-store.ts";
import { newContainment } from "../support/containment.ts";
import { eventually } from "../support/eventually.ts";
import { type Host, startHostNetwork } from "../support/host-network.ts";
import { backend, manifest, service } from "../support/manifest.ts";
import { startNats } from "../support/nats.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { startTargets, type Target } from "../support/targets.ts";

const WORKERS = ["plane-1", "plane-2", "plane-3"];
const SERVICES = ["shop", "pay", "search"];
const PER_SERVICE = 20;
const INTERVAL_MS = 1000;
const CHECK = { http: { path: "/healthz" }, interval: "1s", timeout: "0.5s", changingInterval: "1s" };
/** Within which work has to move when a worker is lost, and when the one that shares it out is. */
const MOVES_WITHIN_MS = 5000;
const LEADER_MOVES_WITHIN_MS = 25_000;

interface Worker {
  readonly plane: Plane;
  readonly host: Host;
}

/** A verdict as it was written, and who was to check the backend at that revision. */
interface Written {
  readonly health: Health;
  readonly owner: string | undefined;
}

const disposables = new AsyncDisposableStack();
const network = disposables.use(await startHostNetwork());
/** Otherwise one that is cut off still checks its backends. */
const CUT_FROM_BACKENDS = network.means === "network namespaces";
const workers = new Map<string, Worker>();
const targets = new Map<string, Target>();
const written: Written[] = [];
/** What the shares were after each commit that changed them: one text a worker. */
const shares: (readonly string[])[] = [];
let leader: () => Promise<string>;

beforeAll(async () => {
  const nats = disposables.use(await startNats({ size: 3, host: network.address }));
  await observe(nats.urls);
  await Promise.all(
    WORKERS.map(async (replica) => {
      const host = await network.addHost(nats);
      const plane = disposables.use(await startPlane({ nats: host.natsUrls, replica, enter: host.enter }));
      workers.set(replica, { plane, host });
    }),
  );
  const { all } = disposables.use(await startTargets(SERVICES.length * PER_SERVICE, network.address));
  for (const [i, target] of all.entries()) targets.set(`${SERVICES[i % SERVICES.length]}/b${i}`, target);
  const members = [...targets].map(([name, { address }]) => backend(name, address));
  const [first] = WORKERS;
  await worker(first ?? "").plane.mustApply(
    manifest(...SERVICES.map((name) => service(name, { healthCheck: CHECK })), ...members),
  );
  await allHealthy();
});
afterAll(() => disposables.disposeAsync());

/** Reads along in the store, beside the planes. */
async function observe(servers: readonly string[]): Promise<void> {
  const { state } = await openNatsStore({
    servers,
    bucket: "fairlead",
    replicas: 3,
    replica: "observer",
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    containment: newContainment(),
  });
  const stop = new AbortController();
  const shareOf = new Map<string, string>();
  const take = (event: WatchEvent) => {
    const changes = event.kind === "state" ? event.entries : event.changes;
    for (const { key, value } of changes.filter(({ key }) => key.startsWith(ASSIGNMENT.keys))) {
      if (value === undefined) shareOf.delete(key);
      else shareOf.set(key, ASSIGNMENT.decode(value)?.workers.join() ?? "");
    }
    if (changes.some(({ key }) => key.startsWith(ASSIGNMENT.keys))) shares.push([...shareOf.values()]);
    const assignment = { workers: [...shareOf.values()][0]?.split(",") ?? [] };
    for (const { key, value, revision } of changes) {
      if (value === undefined || parseStoreKey(key)?.kind !== "health") continue;
      const health = decodeStored(key, value, revision)?.message as Health | undefined;
      if (health !== undefined) written.push({ health, owner: workerOf(health.backend, assignment) });
    }
  };
  const watching = (async () => {
    for await (const event of state.watch({ signal: stop.signal })) take(event);
  })();
  leader = async () => {
    const lease = await state.get(leaseKey("duties"));
    const name = new TextDecoder().decode(lease?.value).split(" ")[2] ?? "";
    if (!WORKERS.includes(name)) throw new Error(`"${name}" holds the lease`);
    return name;
  };
  disposables.defer(async () => {
    stop.abort();
    await watching;
    await state.close();
  });
}

function worker(name: string): Worker {
  const found = workers.get(name);
  if (found === undefined) throw new Error(`no worker ${name}`);
  return found;
}

/** A worker that does not share the work out. */
async function follower(): Promise<string> {
  const leading = await leader();
  return WORKERS.find((name) => name !== leading) ?? "";
}

const shareOf = (name: string) =>
  [...targets]
    .filter(([each]) => workerOf(each, { workers: WORKERS }) === name)
    .map(([each, target]) => ({ name: each, target }));

const newest = (name: string) => written.findLast(({ health }) => health.backend === name)?.health;

const allHealthy = () =>
  eventually(
    () => [...targets.keys()].filter((name) => newest(name)?.status !== Status.HEALTHY),
    (others) => others.length === 0,
    { what: "every backend is healthy", timeoutMs: 30_000 },
  );

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until the work is shared out over all three again, and each checks its own. */
async function allTogether(): Promise<void> {
  const wanted = WORKERS.map(() => WORKERS.join());
  await eventually(
    () => shares.at(-1),
    (now) => JSON.stringify(now) === JSON.stringify(wanted),
    { what: "all three share the work", timeoutMs: 40_000 },
  );
  await sleep(2 * INTERVAL_MS);
}

/** Milliseconds from an instant until each of these was checked once more, as the last of them was. */
async function checkedAgain(backends: readonly { readonly target: Target }[], since: number): Promise<number> {
  const after = () => backends.map(({ target }) => target.checks.find((at) => at > since) ?? Number.POSITIVE_INFINITY);
  await eventually(after, (firsts) => firsts.every(Number.isFinite), {
    what: "each backend of the share is checked again",
    timeoutMs: 40_000,
  });
  return Math.max(...after()) - since;
}

const longestPause = ({ checks }: Target, from: number, to: number) => {
  const seen = [from, ...checks.filter((at) => at > from && at < to), to];
  return Math.max(...seen.map((at, i) => at - (seen[i - 1] ?? at)));
};

const KILLED = {
  how: "killed",
  isCutOff: false,
  strike: ({ plane }: Worker) => plane.kill9(),
  mend: ({ plane }: Worker) => plane.restart(),
};
const PAUSED = {
  how: "paused",
  isCutOff: false,
  strike: async ({ plane }: Worker) => void process.kill(plane.pid(), "SIGSTOP"),
  mend: async ({ plane }: Worker) => void process.kill(plane.pid(), "SIGCONT"),
};
const CUT_OFF = {
  how: `cut off by ${network.means}`,
  isCutOff: true,
  strike: ({ host }: Worker) => host.cut(),
  mend: ({ host }: Worker) => host.mend(),
};

/** Milliseconds from an instant until others check all that a worker checked. */
async function takenOver(name: string, since: number, isCutOff: boolean): Promise<number> {
  if (!isCutOff || CUT_FROM_BACKENDS) return await checkedAgain(shareOf(name), since);
  // It goes on checking; what counts is that another one has begun.
  await eventually(
    () => shares.at(-1),
    (now) => now?.every((share) => !share.includes(name)) ?? false,
    { what: "the work is shared out anew", timeoutMs: 40_000 },
  );
  return Date.now() - since + INTERVAL_MS;
}

/** Waits until a worker has come to a verdict, written or not. */
const judges = ({ plane }: Worker, logBefore: number) =>
  eventually(
    () => plane.log().slice(logBefore),
    (log) => log.includes('"msg":"verdict"'),
    { what: "the worker that is cut off comes to a verdict", everyMs: 200 },
  );

describe("workers", () => {
  it("check each backend once per interval among them", async () => {
    await allTogether();
    const from = Date.now();
    await sleep(10 * INTERVAL_MS);
    const to = Date.now();
    for (const [name, { checks }] of targets) {
      const count = checks.filter((at) => at >= from && at < to).length;
      expect(count, name).toBeGreaterThanOrEqual(9);
      expect(count, name).toBeLessThanOrEqual(11);
    }
    for (const name of WORKERS) {
      const [own] = shareOf(name);
      const explained = await worker(WORKERS[0] ?? "").plane.mustCli("explain", "backend", own?.name ?? "");
      expect(explained).toContain(`last checks by ${name}: `);
    }
  });

  it.each([KILLED, PAUSED, CUT_OFF])(
    "take over from one that is $how in time, from the stored verdicts, and it cannot write",
    async ({ strike, mend, isCutOff }) => {
      await allTogether();
      const name = await follower();
      const lost = shareOf(name);
      const others = [...targets].filter(([each]) => lost.every((own) => own.name !== each));
      const before = written.length;
      const logBefore = worker(name).plane.log().length;
      const struckAt = Date.now();
      await strike(worker(name));
      expect(await takenOver(name, struckAt, isCutOff)).toBeLessThan(MOVES_WITHIN_MS);
      for (const [each, target] of others) {
        expect(longestPause(target, struckAt, Date.now()), each).toBeLessThan(2.5 * INTERVAL_MS);
      }
      expect(written.slice(before)).toEqual([]);

      // The lost one, where it still can see, sees the backend fail; only the new owner can say so, and that it is well again.
      const [sick] = lost;
      if (sick === undefined) throw new Error("the share is empty");
      sick.target.behaviour = "refuses";
      await eventually(
        () => newest(sick.name),
        (health) => health?.status === Status.UNHEALTHY && health.observer !== name,
        { what: "the new owner says that the backend is unhealthy" },
      );
      sick.target.behaviour = "well";
      await eventually(
        () => newest(sick.name),
        (health) => health?.status === Status.HEALTHY,
        { what: "the new owner says that the backend is healthy" },
      );
      if (isCutOff) await judges(worker(name), logBefore);
      await mend(worker(name));
      await allTogether();
      await sleep(2 * INTERVAL_MS);
      expect(written.slice(before).map(({ health }) => [health.backend, health.observer === name])).toEqual([
        [sick.name, false],
        [sick.name, false],
      ]);
    },
  );

  it.each([KILLED, PAUSED, CUT_OFF])(
    "take over in time when the one that shares the work out is $how, and it changes nothing afterwards",
    async ({ strike, mend, isCutOff }) => {
      await allTogether();
      const name = await leader();
      const before = written.length;
      const logBefore = worker(name).plane.log().length;
      const struckAt = Date.now();
      await strike(worker(name));
      expect(await takenOver(name, struckAt, isCutOff)).toBeLessThan(LEADER_MOVES_WITHIN_MS);
      expect(await leader()).not.toBe(name);
      if (isCutOff && CUT_FROM_BACKENDS) await judges(worker(name), logBefore);
      await mend(worker(name));
      await allTogether();
      expect(written.slice(before)).toEqual([]);
    },
  );

  it("believe a failure of everything as soon as another sees the same, and let people know", async () => {
    await allTogether();
    const struckAt = Date.now();
    for (const target of targets.values()) target.behaviour = "hangs";
    const waited = await eventually(
      () => [...targets.keys()].map(newest),
      (all) => all.every((health) => health?.status === Status.UNHEALTHY),
      { what: "every backend is unhealthy", timeoutMs: 20_000 },
    ).then(() => Date.now() - struckAt);
    // Three checks, the last of them timed out, and the question; without another observer it would be ten seconds more.
    expect(waited).toBeLessThan(MASS_FAILURE_MAX_WAIT_MS);
    for (const name of WORKERS) {
      expect(await worker(name).plane.mustCli("status")).toMatch(/mass failure: \d+ of \d+ backends stopped answering/);
    }
    for (const target of targets.values()) target.behaviour = "well";
    await allHealthy();
  });

  it("never had a share twice, and never wrote of another's", () => {
    for (const now of shares) expect(new Set(now).size, JSON.stringify(now)).toBeLessThanOrEqual(1);
    for (const { health, owner } of written) expect(health.observer, health.backend).toBe(owner);
    for (const name of targets.keys()) {
      const tokens = written.filter(({ health }) => health.backend === name).map(({ health }) => health.fence);
      expect(tokens).toEqual(tokens.toSorted((a, b) => Number(a - b)));
    }
    expect(new Set(written.map(({ health }) => serviceOf(health.backend))).size).toBe(SERVICES.length);
    expect(shares.length).toBeGreaterThan(8);
  });
});
