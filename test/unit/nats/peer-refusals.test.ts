import { expect, it } from "vitest";
import { PeerRefusals } from "../../../src/nats/peer-refusals.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { nextTurn } from "../../../src/runtime/next-turn.ts";
import { FakeClock } from "../../support/fake-clock.ts";

it("a turn in which hundreds of messages were not believed brings nothing more, and the next one begins anew", async () => {
  const refusals = new PeerRefusals({ clock: new FakeClock(), logger: silentLogger });
  for (let i = 0; i < 499; i++) refusals.note("unsigned", "s");
  expect(refusals.isFlooded).toBe(false);
  refusals.note("unsigned", "s");
  expect(refusals.isFlooded).toBe(true);
  refusals.note("flood", "s");
  await new Promise<void>((resolve) => nextTurn(resolve));
  expect(refusals.isFlooded).toBe(false);
  expect(refusals.list().map(({ reason, count }) => [reason, count])).toEqual([
    ["unsigned", 500],
    ["flood", 1],
  ]);
});
