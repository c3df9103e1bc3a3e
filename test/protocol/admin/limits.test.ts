import { once } from "node:events";
import { connect as connectHttp2, type Http2Session } from "node:http2";
import { connect } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdminServer, createAdminServer } from "../../../src/admin/admin-server.ts";
import { ImportRequestSchema } from "../../../src/gen/fairlead/admin/v1/archive_pb.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { ADMIN, errorOf, readError, TestClient } from "../../support/admin-client.ts";
import { openPlaneContext, type PlaneContext, testContainment } from "../../support/plane-context.ts";

const MIB = 1024 * 1024;
const containment = testContainment();
let plane: PlaneContext;
let server: AdminServer;
let client: TestClient;
let address: string;

beforeAll(async () => {
  plane = await openPlaneContext();
  server = createAdminServer({
    context: plane,
    logger: silentLogger,
    notReady: () => undefined,
    containment,
    limits: { firstCallMs: 400, requestMs: 600, uploadIdleMs: 500 },
  });
  address = await server.listen("127.0.0.1:0", ServerCredentials.createInsecure());
  client = new TestClient(address);
});

afterAll(async () => {
  client.close();
  await server.stop(1000);
  await plane.close();
});

const path = (method: string) => `/fairlead.admin.v1.AdminService/${method}`;
const headers = (method: string) => ({
  ":method": "POST",
  ":path": path(method),
  "content-type": "application/grpc",
  te: "trailers",
});

/** A message of `bytes` of which only so much is sent. */
function begin(session: Http2Session & { request?: unknown }, method: string, bytes: number, sent: number) {
  const stream = (session as ReturnType<typeof connectHttp2>).request(headers(method));
  stream.on("error", () => undefined);
  const frame = Buffer.alloc(5 + sent);
  frame.writeUInt32BE(bytes, 1);
  stream.write(frame);
  return stream;
}

const session = () => {
  // In megabytes: the client holds what it has not been able to send yet.
  const opened = connectHttp2(`http://${address}`, { maxSessionMemory: 1_000 });
  opened.on("error", () => undefined);
  return opened;
};

test("a connection without a call is closed", async () => {
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
  socket.on("error", () => undefined).resume();
  await once(socket, "close");
  expect((await client.call(ADMIN.getStatus, {})).version).toBe("0.0.0-test");
});

test("a request that never comes to its end is refused with the limit, and its connection closed", async () => {
  const slow = session();
  const stream = begin(slow, "Apply", 4 * MIB, 1000);
  const [trailers] = (await once(stream, "response")) as [Record<string, string>];
  expect(trailers["grpc-status"]).toBe(String(status.RESOURCE_EXHAUSTED));
  expect(decodeURI(trailers["grpc-message"] ?? "")).toMatch(/time for a request to arrive: .* no end in 0.6 s/);
  await once(slow, "close");
  await client.call(ADMIN.getStatus, {});
});

test("unfinished requests are ended before they hold more than the limit, and others go on", async () => {
  const greedy = session();
  const streams = Array.from({ length: 6 }, () => begin(greedy, "Apply", 8 * MIB, 7 * MIB));
  const errors = await Promise.all(
    streams.map(async (stream) => ((await once(stream, "response")) as [Record<string, string>])[0]["grpc-message"]),
  );
  for (const message of errors) {
    expect(decodeURI(message ?? "")).toMatch(/bytes of unfinished requests of one connection|time for a request/);
  }
  if (!greedy.closed) await once(greedy, "close");
  await client.call(ADMIN.getStatus, {});
});

test("an import that is begun and not gone on with ends, and two at a time are the most", async () => {
  const upload = () => {
    const grpc = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
    let settle: (error: ServiceError | null) => void = () => undefined;
    const ended = new Promise<ServiceError | null>((resolve) => {
      settle = resolve;
    });
    const pass = (bytes: Buffer) => bytes;
    const call = grpc.makeClientStreamRequest(path("Import"), pass, pass, new Metadata(), (error) => settle(error));
    call.write(Buffer.from(toBinary(ImportRequestSchema, create(ImportRequestSchema, {}))));
    return ended.finally(() => grpc.close());
  };
  const answers = await Promise.all([upload(), upload(), upload()]);
  const reasons = answers.map((error) => (error === null ? "" : readError(error).reason)).sort();
  expect(reasons).toEqual(["TOO_MANY_CALLS", "UPLOAD_TOO_SLOW", "UPLOAD_TOO_SLOW"]);
  await client.call(ADMIN.getStatus, {});
});

test("too many watches of one connection are refused, and their places are free once they end", async () => {
  const streams = Array.from({ length: 64 }, () => client.stream(ADMIN.watch, {}));
  await Promise.all(streams.map((stream) => once(stream, "data")));
  const refused = client.stream(ADMIN.watch, {});
  const [error] = (await once(refused, "error")) as [ServiceError];
  expect(readError(error)).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: "TOO_MANY_CALLS" });
  expect(error.details).toMatch(/"stream" on one connection: 65, but at most 64/);
  for (const stream of streams) {
    stream.on("error", () => undefined);
    stream.cancel();
  }
  await expect
    .poll(async () => {
      const again = client.stream(ADMIN.watch, {});
      again.on("error", () => undefined);
      const found = await Promise.race([once(again, "data").then(() => true), once(again, "error").then(() => false)]);
      again.cancel();
      return found;
    })
    .toBe(true);
});

test("metadata that is too long is refused by the transport, and a call that cannot be is an answer", async () => {
  const long = client.call(ADMIN.getStatus, {}, { long: "x".repeat(100_000) });
  expect((await errorOf(long)).code).not.toBe(status.OK);
  const actor = "x".repeat(200);
  const grpc = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("x-fairlead-actor", actor);
  const refused = await new Promise<ServiceError | null>((resolve) => {
    const pass = (bytes: Buffer) => bytes;
    grpc.makeClientStreamRequest(path("Restore"), pass, pass, metadata, (error) => resolve(error)).end();
  });
  expect(refused?.code).toBe(status.INVALID_ARGUMENT);
  grpc.close();
  await client.call(ADMIN.getStatus, {});
});

test("nothing of this was unforeseen", () => {
  expect(containment.failures()).toEqual([]);
});
