import { Client, credentials, Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { Send } from "../../../src/xds/protocol/events.ts";
import { prepareResource } from "../../../src/xds/server/cached-resource.ts";
import { messageOf, ResponseEncoder } from "../../../src/xds/server/encode-response.ts";
import { directTransport, publicTransport, type TransportOf } from "../../../src/xds/server/stream-transport.ts";
import { tryDirectTransport } from "../../../src/xds/server/try-direct-transport.ts";

const TYPE = "type.googleapis.com/example.Thing";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

describe("responses reach the client whole and in order, and the call ends well", () => {
  test.each([
    ["directly", direct()],
    ["by the public interface", publicTransport],
  ])("written %s", async (_, transportOf) => {
    const { encoder, sends } = thousandAndOneKilobyte();
    const frames = sends.map((send) => encoder.encode(send, "delta", "plane-a"));
    const { received, code } = await exchange(transportOf, (transport) => {
      for (const frame of frames) transport.write(frame);
    });
    expect(received.map((bytes) => bytes.length)).toEqual(frames.map((frame) => messageOf(frame).length));
    expect(received.every((bytes, index) => bytes.equals(messageOf(frames[index] ?? missing())))).toBe(true);
    expect(code).toBe(status.OK);
  });

  test("a call whose inner stream is not where it was expected is served by the public interface", async () => {
    const hidden: TransportOf = (call, ...rest) => {
      const disguised = new Proxy(call, { get: (target, name) => (name === "call" ? {} : bound(target, name)) });
      return direct()(disguised, ...rest);
    };
    const { encoder, sends } = thousandAndOneKilobyte();
    const frames = sends.map((send) => encoder.encode(send, "delta", "plane-a"));
    const { received } = await exchange(hidden, (transport) => {
      for (const frame of frames) transport.write(frame);
    });
    expect(received).toHaveLength(frames.length);
  });

  test("the trial of the direct transport passes with the grpc-js that this project pins", async () => {
    expect(await tryDirectTransport(systemClock)).toBe(true);
  });
});

describe("streams share what is the same for all", () => {
  test("one buffer for two streams with the same things due and the same nonce", () => {
    const { encoder, sends } = thousandAndOneKilobyte();
    const [send = missing()] = sends;
    const one = encoder.encode(send, "delta", "plane-a");
    const two = encoder.encode({ ...send }, "delta", "plane-a");
    expect(two.shared).toBe(one.shared);
    expect(two.own).toBeUndefined();
  });

  test("the same memory where only the nonce differs, which goes behind it", () => {
    const { encoder, sends } = thousandAndOneKilobyte();
    const [send = missing()] = sends;
    const one = encoder.encode({ ...send, nonce: "a-1" }, "delta", "plane-a");
    const two = encoder.encode({ ...send, nonce: "b-2" }, "delta", "plane-a");
    expect(two.shared.buffer).toBe(one.shared.buffer);
    expect(messageOf(two).equals(messageOf(one))).toBe(false);
    expect(messageOf(two).toString("latin1").replace("b-2", "a-1")).toBe(messageOf(one).toString("latin1"));
  });

  test.each<[string, Partial<Send>, "delta" | "sotw", string]>([
    ["another length of the nonce", { nonce: "a-10" }, "delta", "plane-a"],
    ["another server", {}, "delta", "plane-b"],
    ["the other variant", {}, "sotw", "plane-a"],
    ["something removed", { removed: ["x"] }, "delta", "plane-a"],
    ["nothing in it", { resources: [] }, "delta", "plane-a"],
    ["another version", { version: "2" }, "sotw", "plane-a"],
  ])("%s is another buffer", (_, difference, variant, identifier) => {
    const { encoder, sends } = thousandAndOneKilobyte();
    const [send = missing()] = sends;
    const one = encoder.encode(send, "delta", "plane-a");
    expect(encoder.encode({ ...send, ...difference }, variant, identifier).shared).not.toBe(one.shared);
  });
});

function direct(): TransportOf {
  return directTransport(systemClock);
}

/** A response larger than any window or slice, a small one behind it, and both again with nonces of their own. */
function thousandAndOneKilobyte(): { encoder: ResponseEncoder; sends: Send[] } {
  const thing = (name: string, bytes: number) =>
    prepareResource({ typeUrl: TYPE, name, body: Buffer.alloc(bytes, "x") });
  const common = { typeUrl: TYPE, version: "", removed: [], heartbeat: false, withTtl: false } as const;
  const large = [thing("large", 1_000_000)];
  const small = [thing("small", 1_000)];
  const sends: Send[] = [
    { ...common, nonce: "a-1", resources: large },
    { ...common, nonce: "a-2", resources: small },
    { ...common, nonce: "b-1", resources: large },
    { ...common, nonce: "b-2", resources: small },
  ];
  return { encoder: new ResponseEncoder(systemClock), sends };
}

async function exchange(
  transportOf: TransportOf,
  write: (transport: ReturnType<TransportOf>) => void,
): Promise<{ received: Buffer[]; code: status }> {
  const path = "/example.Things/Stream";
  const pass = (bytes: Buffer) => bytes;
  const serializers = {
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
  const server = new Server();
  servers.push(server);
  const stream = (call: ServerDuplexStream<Buffer, Buffer>) => {
    const ignore = () => undefined;
    const listener = { received: () => write(transport), held: ignore, unreadable: ignore, drained: ignore };
    const transport = transportOf(call, { limit: "maxRequestBytes", most: 4_000_000 }, listener);
    call.on("end", () => call.end());
  };
  server.addService({ stream: { path, requestStream: true, responseStream: true, ...serializers } }, { stream });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = client.makeBidiStreamRequest(path, pass, pass);
  const received: Buffer[] = [];
  return new Promise((resolve, reject) => {
    call.on("data", (bytes: Buffer) => {
      if (received.push(bytes) === 2) call.end();
    });
    call.on("error", reject);
    call.on("status", ({ code }) => {
      client.close();
      resolve({ received, code });
    });
    call.write(Buffer.from("begin"));
  });
}

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === "function" ? value.bind(target) : value;
}

function missing(): never {
  throw new Error("the test has no such element");
}
