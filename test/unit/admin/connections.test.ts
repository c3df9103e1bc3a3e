import { EventEmitter } from "node:events";
import { beforeEach, expect, test } from "vitest";
import { Connections } from "../../../src/admin/connections.ts";
import { ADMIN_LIMITS, type AdminLimits } from "../../../src/admin/limits.ts";
import type { ControlPlaneError } from "../../../src/domain/errors.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const MIB = 1024 * 1024;

class FakeSocket extends EventEmitter {
  bytesRead = 0;
  destroyed = false;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort: number;

  constructor(port: number) {
    super();
    this.remotePort = port;
  }

  destroy(): this {
    this.destroyed = true;
    this.emit("close");
    return this;
  }
}

let clock: FakeClock;
let connections: Connections;
let errors: ControlPlaneError[];
const refuse = (error: ControlPlaneError) => errors.push(error);

beforeEach(() => use({}));

function use(limits: Partial<AdminLimits>): void {
  clock = new FakeClock();
  connections = new Connections({ ...ADMIN_LIMITS, ...limits }, clock);
  errors = [];
}

function connect(port: number): FakeSocket {
  const socket = new FakeSocket(port);
  connections.add(socket as never);
  return socket;
}

test("a new connection takes the place of the one that has been without calls for longest", async () => {
  use({ maxConnections: 2 });
  const first = connect(1);
  const second = connect(2);
  const call = connections.begin(first, "call", refuse);
  connect(3);
  expect([first.destroyed, second.destroyed]).toEqual([false, true]);
  call.close();
  connections.begin(first, "call", refuse);
  connections.begin({ remoteAddress: "127.0.0.1", remotePort: 3 }, "call", refuse);
  expect(connect(4).destroyed).toBe(true);
  expect(first.destroyed).toBe(false);
});

test("a connection without a call ends, one that had a call stays", async () => {
  const silent = connect(1);
  const used = connect(2);
  connections.begin(used, "call", refuse).close();
  await clock.advance(ADMIN_LIMITS.firstCallMs);
  expect([silent.destroyed, used.destroyed]).toEqual([true, false]);
});

test("calls are counted by kind, of one connection and of all, until they are closed", () => {
  use({ calls: { ...ADMIN_LIMITS.calls, stream: { perConnection: 2, inAll: 3 } } });
  const [a, b] = [connect(1), connect(2)];
  const first = connections.begin(a, "stream", refuse);
  connections.begin(a, "stream", refuse);
  expect(() => connections.begin(a, "stream", refuse)).toThrow(
    /"stream" on one connection: 3, but at most 2 are allowed;.*Limits/,
  );
  connections.begin(a, "call", refuse);
  connections.begin(b, "stream", refuse);
  expect(() => connections.begin(b, "stream", refuse)).toThrow(/"stream" of all clients: 4, but at most 3/);
  first.close();
  first.close();
  connections.begin(b, "stream", refuse);
  expect(() => connections.begin(connect(3), "stream", refuse)).toThrow(/of all clients/);
});

test("a request that does not come to its end is refused, and its connection ends", async () => {
  const slow = connect(1);
  const other = connect(2);
  connections.begin(slow, "call", refuse);
  slow.bytesRead = 100;
  const done = connections.begin(other, "call", refuse);
  done.arrived(10);
  await clock.advance(ADMIN_LIMITS.requestMs - 200);
  expect(errors).toEqual([]);
  await clock.advance(400);
  expect(errors).toMatchObject([{ kind: "exhausted", code: "REQUEST_TOO_SLOW" }]);
  await clock.advance(1_000);
  expect([slow.destroyed, other.destroyed]).toEqual([true, false]);
});

test("unfinished requests of one connection are bounded in bytes, whatever else it had sent before", async () => {
  const client = connect(1);
  client.bytesRead = 500 * MIB;
  for (let i = 0; i < 5; i++) connections.begin(client, "call", refuse);
  client.bytesRead += 20 * MIB;
  await clock.advance(200);
  expect(errors).toEqual([]);
  client.bytesRead += 10 * MIB;
  await clock.advance(200);
  expect(errors).toHaveLength(5);
  expect(errors[0]?.message).toMatch(/one connection: 31457280, but at most 25165824/);
});

test("of all that arrives, who holds most ends first", async () => {
  const clients = Array.from({ length: 5 }, (_, i) => connect(i + 1));
  for (const [i, client] of clients.entries()) {
    for (let k = 0; k < 2; k++) connections.begin(client, "call", refuse);
    client.bytesRead = (10 + i * 3) * MIB;
  }
  await clock.advance(1_000);
  expect(clients.map(({ destroyed }) => destroyed)).toEqual([false, false, false, false, true]);
});

test("large requests that are worked on are bounded in bytes; small ones are not kept out by them", () => {
  const client = connect(1);
  const arrive = (bytes: number, from = client) => {
    const call = connections.begin(from, "call", refuse);
    call.arrived(bytes);
    return call;
  };
  const first = arrive(8 * MIB);
  arrive(8 * MIB);
  arrive(8 * MIB);
  expect(() => arrive(MIB)).toThrow(/of one connection that are worked on: 26214400, but at most 25165824/);
  arrive(1_000);
  first.close();
  arrive(MIB);
  for (let i = 2; i <= 6; i++) arrive(8 * MIB, connect(i));
  expect(() => arrive(8 * MIB, connect(7))).toThrow(/of all clients that are worked on/);
});
