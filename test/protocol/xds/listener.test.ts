import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type Listener, listenOn } from "../../../src/runtime/listener.ts";

const listeners: Listener[] = [];
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
});

test.each(["127.0.0.1", "localhost"])("connections to %s are handed over", async (host) => {
  const { promise: accepted, resolve } = Promise.withResolvers<string>();
  const { port } = await listening(host, 0, () => resolve("accepted"));
  const client = connect(port, host);
  expect(await accepted).toBe("accepted");
  client.destroy();
});

test("a port that is in use is an error that says so", async () => {
  const { port } = await listening("127.0.0.1", 0);
  await expect(listening("127.0.0.1", port)).rejects.toThrow("EADDRINUSE");
});

test("an address of another machine is an error that says so", async () => {
  await expect(listening("192.0.2.1", 0)).rejects.toThrow("EADDRNOTAVAIL");
});

test("a port is free again once its listener is closed", async () => {
  const first = await listening("127.0.0.1", 0);
  first.close();
  expect((await listening("127.0.0.1", first.port)).port).toBe(first.port);
});

async function listening(host: string, port: number, accepted: () => void = () => undefined): Promise<Listener> {
  const listener = await listenOn(host, port, {
    accept: (socket) => {
      socket.destroy();
      accepted();
    },
    failed: () => undefined,
  });
  listeners.push(listener);
  return listener;
}
