/** What replicas know of each other's checks, told over peers in this process. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { workerOf } from "../../../src/duties/assign.ts";
import { SharedChecks, type SharedChecksOptions } from "../../../src/health/shared-checks.ts";
import type { Peer, PeerHandler, Peers } from "../../../src/store/peers.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const NAMES = ["plane-a", "plane-b"];
const STATE = stateOf(
  objectsOf([
    { kind: "Service", name: "shop", healthCheck: { tcp: {}, interval: "5s" } },
    ...Array.from({ length: 20 }, (_, i) => ({
      kind: "Backend",
      name: `shop/b${i}`,
      address: `10.0.0.1:${1000 + i}`,
    })),
  ]),
);
const CHECK = { at: 5000, outcome: "fail", reason: "HTTP 503", durationMs: 2 } as const;
/** The share of a worker. */
const shareOf = (name: string) =>
  [...STATE.all("backend")].filter((backend) => workerOf(backend.name, { workers: NAMES }) === name);

let clock: FakeClock;
let silentSince: number | undefined;
const handlers = new Map<string, PeerHandler>();
const ageMs = new Map<string, number>();
const started: SharedChecks[] = [];

beforeEach(() => {
  clock = new FakeClock();
  silentSince = undefined;
  ageMs.clear();
});
afterEach(() => {
  for (const checks of started.splice(0)) checks.stop();
});

/** `plane-b` is the one that falls silent. */
function peersOf(name: string): Peers {
  const [other = ""] = NAMES.filter((each) => each !== name);
  const position = { revision: { epoch: 1, position: 1 } };
  return {
    announce: () => {},
    namesake: () => undefined,
    onChange: () => () => {},
    list: (): Peer[] => [
      silentSince === undefined || name === "plane-b"
        ? { replica: other, status: "live", position, heardAt: clock.monotonic() }
        : { replica: other, status: "unknown", position, heardAt: silentSince },
    ],
    ask: async (topic, question) => {
      const answer = silentSince === undefined ? await handlers.get(`${other} ${topic}`)?.(question, name) : undefined;
      return [{ replica: other, answer }];
    },
    answer: (topic, handler) => {
      handlers.set(`${name} ${topic}`, handler);
      return () => handlers.delete(`${name} ${topic}`);
    },
    refused: () => [],
  };
}

function startChecks(name: string): SharedChecks {
  const worker: SharedChecksOptions["worker"] = {
    assignment: { workers: NAMES, round: 1 },
    findings: () => [],
    ages: () => shareOf(name).map(() => ({ service: "shop", intervalMs: 5000, ageMs: ageMs.get(name) ?? 0 })),
    recent: (backend) =>
      shareOf(name).some((each) => each.name === backend) ? { worker: name, checks: [CHECK] } : undefined,
  };
  const checks = new SharedChecks({ name, worker, state: STATE, peers: peersOf(name), clock });
  started.push(checks);
  return checks;
}

it("tells the newest checks of any backend, whoever carries them out", async () => {
  const checks = startChecks("plane-a");
  startChecks("plane-b");
  for (const worker of NAMES) {
    const [backend] = shareOf(worker);
    expect(await checks.recent(backend?.name ?? "")).toEqual({ worker, checks: [CHECK] });
  }
  expect(await checks.recent("shop/nobody")).toBeUndefined();
});

it("learns from the others what is stale in their shares", async () => {
  const checks = startChecks("plane-a");
  startChecks("plane-b");
  ageMs.set("plane-b", 15_000);
  await clock.advance(2100);
  expect(checks.stale().size).toBe(0);
  ageMs.set("plane-b", 15_001);
  await clock.advance(2100);
  expect(checks.stale().get("shop")).toMatchObject({ backends: shareOf("plane-b").length });
  expect(checks.findings()).toMatchObject([{ what: "service shop: checks stale" }]);
  ageMs.set("plane-b", 0);
  await clock.advance(2100);
  expect(checks.findings()).toEqual([]);
});

it("counts the share of a worker that fell silent as unchecked from then on", async () => {
  const checks = startChecks("plane-a");
  silentSince = clock.monotonic();
  await clock.advance(15_000);
  expect(checks.stale().size).toBe(0);
  await clock.advance(1000);
  const since = clock.now() - 16_000;
  expect(checks.stale().get("shop")).toEqual({ backends: shareOf("plane-b").length, since });
});

it("answers no more once it is stopped", () => {
  startChecks("plane-a").stop();
  expect(handlers.size).toBe(0);
});
