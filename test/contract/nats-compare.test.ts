import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { type Clock, systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { newContainment } from "../support/containment.ts";
import { eventually } from "../support/eventually.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { cause, put } from "./contract-store.ts";

/** Longer timers than this are the test's to run. */
const LONG_MS = 60_000;

let cluster: NatsCluster;
beforeAll(async () => {
  cluster = await startNats({ size: 1 });
});
afterAll(() => cluster?.stop());

/** The system's clock, whose long timers are collected instead of waited for. */
function hastyClock(): Clock & { readonly long: { readonly ms: number; readonly run: () => void }[] } {
  const long: { ms: number; run: () => void }[] = [];
  const after: Clock["after"] = (ms, run) => {
    if (ms <= LONG_MS) return systemClock.after(ms, run);
    long.push({ ms, run });
    return () => undefined;
  };
  return { ...systemClock, after, long };
}

function open(clock: Clock) {
  const where = { servers: cluster.urls, bucket: "compare", replicas: 1, replica: "one" };
  return openNatsStore({ ...where, clock, random: systemRandom, logger: silentLogger, containment: newContainment() });
}

it("compares itself with the whole bucket now and then, at times that differ, and mends what the watch missed", async () => {
  const clock = hastyClock();
  const { state, mirrorStatus } = await open(clock);
  await state.commit({ ops: [put("kept", "1"), put("gone", "1")], cause: cause() });
  const stop = new AbortController();
  const told: string[] = [];
  const watching = (async () => {
    for await (const event of state.watch({ from: await state.barrier(), signal: stop.signal })) {
      if (event.kind !== "commit") continue;
      told.push(...event.changes.map(({ key, value }) => `${key} ${value === undefined ? "deleted" : "written"}`));
    }
  })();
  // A purge by hand leaves no marker: no watch hears of it.
  const connection = await connect({ servers: [...cluster.urls] });
  const manager = await jetstreamManager(connection);
  const { subjects = {} } = (await manager.streams.info("KV_compare", { subjects_filter: ">" })).state;
  const subject = Object.keys(subjects).find((candidate) => candidate.endsWith(".gone")) ?? "";
  await manager.streams.purge("KV_compare", { filter: subject });
  await state.barrier();
  expect(await state.get("gone")).toBeDefined();

  expect(clock.long).toHaveLength(1);
  const [comparison] = clock.long;
  expect(comparison?.ms).toBeGreaterThanOrEqual(300_000);
  expect(comparison?.ms).toBeLessThanOrEqual(900_000);
  comparison?.run();
  await eventually(
    () => mirrorStatus().repairs,
    (repairs) => repairs === 1,
    { what: "the mirror is repaired" },
  );
  expect(await state.get("gone")).toBeUndefined();
  expect(await state.get("kept")).toBeDefined();
  await eventually(
    () => told,
    () => told.includes("gone deleted"),
    { what: "watches are told" },
  );
  expect(clock.long).toHaveLength(2);
  expect(clock.long[1]?.ms).not.toBe(comparison?.ms);

  clock.long[1]?.run();
  await state.barrier();
  expect(mirrorStatus().repairs).toBe(1);
  stop.abort();
  await watching;
  await state.close();
  await connection.close();
});
