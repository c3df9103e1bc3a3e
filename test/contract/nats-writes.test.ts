import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OpenedNatsStore, openNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { Committed } from "../../src/store/state-store.ts";
import { newContainment } from "../support/containment.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { cause, put } from "./contract-store.ts";

describe.each([1, 3] as const)("writes with %d nats-servers", (size) => {
  let cluster: NatsCluster;
  let one: OpenedNatsStore;
  let other: OpenedNatsStore;
  beforeAll(async () => {
    cluster = await startNats({ size });
    one = await open("one");
    other = await open("other");
  });
  afterAll(async () => {
    await one?.state.close();
    await other?.state.close();
    await cluster?.stop();
  });

  const open = (replica: string) =>
    openNatsStore({
      servers: cluster.urls,
      bucket: "writes",
      replicas: size,
      replica,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      containment: newContainment(),
    });

  it("costs one write, or two, when a thousand streams pass the fence together", async () => {
    const before = await one.state.barrier();
    await Promise.all(Array.from({ length: 1_000 }, () => one.state.barrier()));
    const { position } = await one.state.barrier();
    // Two for the thousand, one for the last; and while nobody writes, some tick keeps the mirrors awake.
    expect(position - before.position).toBeLessThanOrEqual(6);
  });

  it("lets commits fly together that touch different keys, and refuses one without the others", async () => {
    const commits = Array.from({ length: 200 }, (_, i) => {
      const guard = i % 4 === 0 ? { guard: "present" as const } : {};
      return one.state.commit({
        ops: [put(`together/${i}`, "1", guard)],
        cause: cause({ operation: "test", requestId: `together-${i}` }),
      });
    });
    const outcomes = await Promise.allSettled(commits);
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused).toHaveLength(50);
    expect(refused.every(({ reason }) => (reason as { code: string }).code === "VERSION_MISMATCH")).toBe(true);
    const written = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    expect(new Set(written.map(({ revision }) => revision.position)).size).toBe(150);
    expect(await one.journal.findRequest("together-1")).toMatchObject({ keys: ["together/1"] });
    expect(await one.journal.findRequest("together-0")).toBeUndefined();
  });

  it("takes commits to the same key one after the other, each of them", async () => {
    const commits = Array.from({ length: 50 }, (_, i) =>
      one.state.commit({ ops: [put("same", String(i))], cause: cause() }),
    );
    const positions = (await Promise.all(commits)).map(({ revision }) => revision.position);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(new Set(positions).size).toBe(50);
  });

  it("never lets a guarded write pass one without a guard that another replica has under way", async () => {
    const key = "raced";
    const writes: { readonly revision: number; readonly guard: number | undefined }[] = [];
    const note = ({ revision }: Committed, guard: number | undefined) => {
      writes.push({ revision: revision.position, guard });
    };
    note(await one.state.commit({ ops: [put(key, "first")], cause: cause() }), undefined);
    const pause = () => systemClock.sleep(10 * systemRandom.next());
    const careless = async () => {
      for (let i = 0; i < 100; i++, await pause()) {
        note(await one.state.commit({ ops: [put(key, "careless")], cause: cause() }), undefined);
      }
    };
    const careful = async () => {
      for (let i = 0; i < 100; i++, await pause()) {
        const guard = (await other.state.get(key))?.revision ?? "absent";
        const write = other.state.commit({ ops: [put(key, "careful", { guard })], cause: cause() });
        const committed = await write.catch(() => undefined);
        if (committed !== undefined && guard !== "absent") note(committed, guard.position);
      }
    };
    await Promise.all([careless(), careful()]);
    const ordered = writes.toSorted((a, b) => a.revision - b.revision);
    const passed = ordered.filter(({ guard }, i) => guard !== undefined && ordered[i - 1]?.revision !== guard);
    expect(passed).toEqual([]);
    expect(ordered.some(({ guard }) => guard !== undefined)).toBe(true);
  });
});
