import { expect, test } from "vitest";
import type { Progress } from "../../../src/fleet/node-directory.ts";
import { assessWait } from "../../../src/operations/observing/assess-wait.ts";

const DONE: Progress = { state: "done" };
const not = (state: Exclude<Progress["state"], "done">): Progress => ({ state, message: `is ${state}` });
const assess = (states: readonly Progress[], goal: Partial<Parameters<typeof assessWait>[1]> = {}) =>
  assessWait(new Map(states.map((state, i) => [`edge-${i}`, state])), {
    atLeast: undefined,
    unknownReplicas: 0,
    onDisconnected: "WAIT",
    ...goal,
  });

test("everybody done is reached, and so is nobody to wait for", () => {
  expect(assess([DONE, DONE])).toMatchObject({ outcome: "reached", done: 2, total: 2, pending: [] });
  expect(assess([])).toMatchObject({ outcome: "reached", total: 0 });
});

test.each(["sent", "held", "disconnected", "unknown"] as const)(
  "a proxy that is %s is listed, never counted",
  (state) => {
    expect(assess([DONE, not(state)])).toMatchObject({
      outcome: "waiting",
      done: 1,
      total: 2,
      pending: [{ id: "edge-1", state, message: `is ${state}` }],
    });
  },
);

test("a refusal ends the wait although enough others are done", () => {
  expect(assess([DONE, not("refused")], { atLeast: 1 }).outcome).toBe("refused");
});

test("while a replica is unknown, nobody can say that all are done", () => {
  expect(assess([DONE, DONE], { unknownReplicas: 1 }).outcome).toBe("waiting");
  expect(assess([], { unknownReplicas: 1 }).outcome).toBe("waiting");
  expect(assess([DONE, DONE], { unknownReplicas: 1, atLeast: 2 }).outcome).toBe("reached");
});

test("enough is enough", () => {
  expect(assess([DONE, DONE, not("sent")], { atLeast: 2 })).toMatchObject({ outcome: "reached", done: 2, total: 3 });
});

test("proxies that are away are left out, or end the wait, where that is asked for", () => {
  expect(assess([DONE, not("disconnected")], { onDisconnected: "SKIP" })).toMatchObject({
    outcome: "reached",
    total: 1,
    pending: [],
  });
  expect(assess([DONE, not("disconnected")], { onDisconnected: "FAIL" }).outcome).toBe("disconnected");
  expect(assess([DONE, not("unknown")], { onDisconnected: "FAIL" }).outcome).toBe("waiting");
});

test("proxies that share an id count each, and as done when all of them are", () => {
  const copies = new Map([["edge-0", 2]]);
  expect(assess([DONE, DONE], { copies })).toMatchObject({ outcome: "reached", done: 3, total: 3 });
  expect(assess([not("sent"), DONE], { copies })).toMatchObject({ outcome: "waiting", done: 1, total: 3 });
  expect(assess([DONE, not("sent")], { copies, atLeast: 2 })).toMatchObject({ outcome: "reached", done: 2 });
});
