import { beforeEach, describe, expect, it } from "vitest";
import { SERVER_PATIENCE_MS, ServerPing } from "../../../src/nats/server-ping.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("the ping of a server", () => {
  let clock: FakeClock;
  let pings: PromiseWithResolvers<void>[];
  let reconnects: number;
  let ping: ServerPing;
  beforeEach(() => {
    clock = new FakeClock();
    pings = [];
    reconnects = 0;
    const flush = () => {
      const answer = Promise.withResolvers<void>();
      pings.push(answer);
      return answer.promise;
    };
    const reconnect = async () => {
      reconnects += 1;
    };
    ping = new ServerPing({
      connection: { flush, reconnect, getServer: () => "n1" },
      clock,
      logger: silentLogger,
    });
  });

  it("makes the client leave a server that has not answered when patience ends", async () => {
    ping.ask();
    const left = ping.leaveDeaf();
    await clock.advance(SERVER_PATIENCE_MS);
    expect(await left).toBe(true);
    expect(reconnects).toBe(1);
  });

  it.each(["answered", "lost with its connection"])("leaves nothing once it is %s, however late", async (how) => {
    ping.ask();
    await clock.advance(SERVER_PATIENCE_MS);
    if (how === "answered") pings[0]?.resolve();
    else pings[0]?.reject(new Error("connection disconnected"));
    await clock.advance(0);
    expect(await ping.leaveDeaf()).toBe(false);
    expect(reconnects).toBe(0);
  });

  it("is sent once until it is judged or forgotten, and not judged without having been sent", async () => {
    expect(await ping.leaveDeaf()).toBe(false);
    ping.ask();
    ping.ask();
    expect(pings).toHaveLength(1);
    ping.forget();
    expect(await ping.leaveDeaf()).toBe(false);
    ping.ask();
    expect(pings).toHaveLength(2);
    expect(reconnects).toBe(0);
  });
});
