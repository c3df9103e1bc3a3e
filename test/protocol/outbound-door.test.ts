/** The door against real sockets: what is refused is never connected to. */
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { type AddressInfo, createServer, type LookupFunction, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { Destination, OutboundDoor } from "../../src/outbound/door.ts";
import { outboundDoor } from "../support/outbound-door.ts";
import { tempFolder } from "../support/temp-folder.ts";

const disposables: (() => void)[] = [];
let connections = 0;
afterEach(() => {
  for (const dispose of disposables.splice(0)) dispose();
  connections = 0;
});

async function listen(place: { host: string; port: number } | { path: string }): Promise<Server> {
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined).end();
  });
  await once(server.listen(place), "listening");
  disposables.push(() => server.close());
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;
const ownAdmin = (port: number) => () => [{ what: "the plane's own admin port", ip: "127.0.0.1", port }];

/** `connected`, or the error's message. */
function outcome(door: OutboundDoor, to: Destination, tls?: object): Promise<string> {
  return new Promise((resolve) => {
    const socket = door.connect(to, "check", tls);
    socket.once("error", (error) => resolve(error.message));
    socket.once("connect", () => resolve("connected"));
    disposables.push(() => socket.destroy());
  });
}

it("connects where it may, and nowhere else, over TLS neither", async () => {
  const port = portOf(await listen({ host: "127.0.0.1", port: 0 }));
  const to = { kind: "address", ip: "127.0.0.1", port } as const;
  expect(await outcome(outboundDoor(), to)).toBe("connected");
  await expect.poll(() => connections).toBe(1);
  const closed = outboundDoor({ ports: ownAdmin(port) });
  const error = `refused by the plane: 127.0.0.1:${port} is the plane's own admin port`;
  expect(await outcome(closed, to)).toBe(error);
  expect(await outcome(closed, to, {})).toBe(error);
  expect(await outcome(closed, { kind: "address", ip: "::ffff:127.0.0.1", port })).toContain("own admin port");
  expect(connections).toBe(1);
});

it("judges a name by where it leads at the moment of the connection", async () => {
  const port = portOf(await listen({ host: "127.0.0.1", port: 0 }));
  let leadsTo: readonly string[] = [];
  const lookup: LookupFunction = (_host, _options, callback) =>
    callback(
      null,
      leadsTo.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  const to = { kind: "host", host: "shop.example", port } as const;
  const open = outboundDoor({ lookup });
  leadsTo = ["127.0.0.1"];
  expect(await outcome(open, to)).toBe("connected");
  leadsTo = ["169.254.169.254", "fe80::1"];
  expect(await outcome(open, to)).toMatch(
    /^refused by the plane: shop.example .*169.254.169.254 is a metadata service of a cloud/,
  );
  leadsTo = ["169.254.169.254", "127.0.0.1"];
  expect(await outcome(open, to)).toBe("connected");
  const closed = outboundDoor({ lookup, ports: ownAdmin(port) });
  expect(await outcome(closed, to)).toContain("own admin port");
  leadsTo = [];
  expect(await outcome(closed, to)).toContain("shop.example");
  await expect.poll(() => connections).toBe(2);
});

it("opens a Unix socket that everybody may open, or its user's own, and only where the plane is reached from its machine", async () => {
  const folder = tempFolder();
  disposables.push(() => folder[Symbol.dispose]());
  const path = join(folder.path, "shop.sock");
  await listen({ path });
  const to = { kind: "pipe", path } as const;
  const [owner, another] = [process.getuid?.() || 1000, 4242];
  chmodSync(path, 0o660);
  // Root's own is not lent: that of a container engine is one.
  expect(await outcome(outboundDoor({ userId: 0 }), to)).toMatch(
    /^refused by the plane: .* belongs to another user or to root/,
  );
  expect(await outcome(outboundDoor({ userId: another }), to)).toContain("belongs to another user");
  if (process.getuid?.() !== 0) expect(await outcome(outboundDoor({ userId: owner }), to)).toBe("connected");
  chmodSync(path, 0o666);
  for (const userId of [0, another, undefined]) expect(await outcome(outboundDoor({ userId }), to)).toBe("connected");
  const beyond = outboundDoor({ listensOnLoopbackOnly: false });
  expect(await outcome(beyond, to)).toContain("the plane listens beyond loopback");
  expect(await outcome(outboundDoor(), { kind: "pipe", path: `${path}.gone` })).toContain("ENOENT");
});
