import { expect, test } from "vitest";
import { nextTurn } from "../../../src/runtime/next-turn.ts";
import { OncePerTurn } from "../../../src/runtime/once-per-turn.ts";

test("asks once in a turn, again in the next one, and again when told to", async () => {
  let asked = 0;
  const answer = new OncePerTurn(() => ++asked);
  expect([answer.get(), answer.get()]).toEqual([1, 1]);
  await new Promise<void>((resolve) => nextTurn(resolve));
  expect([answer.get(), answer.get()]).toEqual([2, 2]);
  answer.forget();
  expect(answer.get()).toBe(3);
});
