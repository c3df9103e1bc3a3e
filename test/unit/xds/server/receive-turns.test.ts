import { expect, test } from "vitest";
import { ReceiveTurns } from "../../../../src/xds/server/receive-turns.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Streams whose requests take 8 ms each, and what was handled in which order. */
function slowStreams() {
  let now = 0;
  const turns = new ReceiveTurns(Object.assign(new FakeClock(), { monotonic: () => now }));
  const handled: string[] = [];
  const receive = (name: string, requests: number) => {
    let left = requests;
    turns.add({
      readNext: () => {
        if (left === 0) return false;
        now += 8;
        handled.push(name);
        left--;
        return left > 0;
      },
    });
  };
  return { receive, handled };
}

test("requests are handled at once as long as they take little of a turn", () => {
  const { receive, handled } = slowStreams();
  receive("a", 2);
  expect(handled).toEqual(["a", "a"]);
});

test("the rest waits for later turns, and each stream has its own there", async () => {
  const { receive, handled } = slowStreams();
  receive("a", 6);
  receive("b", 1);
  expect(handled).toEqual(["a", "a", "a"]);
  await turn();
  expect(handled.slice(3)).toEqual(["a", "b", "a"]);
  await turn();
  expect(handled).toHaveLength(7);
  receive("c", 1);
  await turn();
  expect(handled.at(-1)).toBe("c");
});
