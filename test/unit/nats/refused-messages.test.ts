import { expect, it } from "vitest";
import { RefusedPeerMessages } from "../../../src/nats/refused-messages.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { nextTurn } from "../../../src/runtime/next-turn.ts";
import { FakeClock } from "../../support/fake-clock.ts";

it("a turn in which hundreds of messages were not believed brings nothing more, and the next one begins anew", async () => {
  const refused = new RefusedPeerMessages({ clock: new FakeClock(), logger: silentLogger });
  for (let i = 0; i < 499; i++) refused.note("unsigned", "s");
  expect(refused.isFlooded).toBe(false);
  refused.note("unsigned", "s");
  expect(refused.isFlooded).toBe(true);
  refused.note("flood", "s");
  await new Promise<void>((resolve) => nextTurn(resolve));
  expect(refused.isFlooded).toBe(false);
  expect(refused.list().map(({ reason, count }) => [reason, count])).toEqual([
    ["unsigned", 500],
    ["flood", 1],
  ]);
});
