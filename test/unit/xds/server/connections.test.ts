import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { silentLogger } from "../../../../src/runtime/logger.ts";
import { Connections } from "../../../../src/xds/server/connections.ts";
import { DEFAULT_LIMITS } from "../../../../src/xds/server/limits.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

class TestSocket extends EventEmitter {
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
  }
}

function connectionsOf(max: number, descriptors?: number) {
  const met = { times: 0 };
  const limits = { ...DEFAULT_LIMITS, maxConnections: max };
  const onLimit = () => void met.times++;
  const connections = new Connections({ limits, clock: new FakeClock(), log: silentLogger, onLimit }, descriptors);
  return { connections, met };
}

test("one connection too many is closed and counted, and there is room again once another has gone", () => {
  const { connections, met } = connectionsOf(2);
  const sockets = Array.from({ length: 3 }, () => new TestSocket());
  const admitted = sockets.map((socket) => connections.admit(socket as unknown as Socket));
  expect(admitted).toEqual([true, true, false]);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false, true]);
  expect(met.times).toBe(1);
  sockets[0]?.emit("close");
  expect(connections.admit(new TestSocket() as unknown as Socket)).toBe(true);
});

test("some descriptors are always left for everything else", () => {
  expect(connectionsOf(20_000, 1_048_576).connections.max).toBe(20_000);
  expect(connectionsOf(20_000, 1024).connections.max).toBe(768);
  expect(connectionsOf(20_000, 100).connections.max).toBe(50);
});
