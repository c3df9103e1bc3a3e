import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Lanes } from "../../../src/nats/lanes.ts";

describe("lanes", () => {
  it("run what shares no key side by side, and what does one after the other in the order of arrival", async () => {
    const keys = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(keys, { maxLength: 12 }), async (scheduler, tasks) => {
        const lanes = new Lanes(tasks.length + 1);
        const busy = new Set<string>();
        const order = new Map<string, number[]>();
        const all = tasks.map((touched, i) =>
          lanes.run(touched, async () => {
            for (const key of touched) {
              expect(busy.has(key)).toBe(false);
              busy.add(key);
              order.set(key, [...(order.get(key) ?? []), i]);
            }
            await scheduler.schedule(Promise.resolve(), `task ${i}`);
            for (const key of touched) busy.delete(key);
          }),
        );
        await scheduler.waitFor(Promise.all(all));
        for (const tasksOfKey of order.values()) expect(tasksOfKey).toEqual(tasksOfKey.toSorted((a, b) => a - b));
        expect([...order.values()].flat()).toHaveLength(tasks.flat().length);
      }),
    );
  });

  it("run disjoint tasks at once, but no more than they may", async () => {
    const lanes = new Lanes(2);
    const ends: (() => void)[] = [];
    const all = ["a", "b", "c"].map((key) => lanes.run([key], () => new Promise<void>((end) => ends.push(end))));
    await settled();
    expect(ends).toHaveLength(2);
    ends[0]?.();
    await settled();
    expect(ends).toHaveLength(3);
    for (const end of ends) end();
    await Promise.all(all);
  });

  it("go on after a task that failed, and say when all have ended", async () => {
    const lanes = new Lanes(1);
    const failed = lanes.run(["a"], () => Promise.reject(new Error("no")));
    const next = lanes.run(["a"], () => Promise.resolve("yes"));
    await expect(failed).rejects.toThrow("no");
    await lanes.idle();
    expect(await next).toBe("yes");
  });
});

/** Until all that can go on has gone on. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
