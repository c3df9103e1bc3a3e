import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AnyObjectSchema, ApplyRequestSchema } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { WatchRequestSchema } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { ServerReflectionRequestSchema } from "../../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ADMIN, type CallError, errorOf, readError, TestClient } from "../../support/admin-client.ts";
import { LONGEST_TURN_ARGS, longestTurn } from "../../support/longest-turn.ts";
import { type Plane, startPlane } from "../../support/plane.ts";
import { tempFolder } from "../../support/temp-folder.ts";

type Given = MessageInitShape<typeof AnyObjectSchema>;

/** For how long one input may hold up everybody else, in processor time. */
const BLOCKED_MS = 200;
const BACKENDS = 9_000;

const folder = tempFolder();
const turnFile = join(folder.path, "longest-turn");
let plane: Plane;
let client: TestClient;

beforeAll(async () => {
  process.env.LONGEST_TURN_FILE = turnFile;
  plane = await startPlane({ nodeArgs: ["--max-old-space-size=256", ...LONGEST_TURN_ARGS] });
  delete process.env.LONGEST_TURN_FILE;
  client = new TestClient(plane.addresses.admin);
  await client.call(ADMIN.createService, { service: { name: "large" } });
  for (let start = 0; start < BACKENDS; start += 900) {
    const objects = Array.from(
      { length: 900 },
      (_, i): Given => ({ object: { case: "backend", value: backend(start + i) } }),
    );
    await client.call(ADMIN.apply, { objects });
  }
}, 120_000);

afterAll(async () => {
  client?.close();
  await plane?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** The longest that the plane's loop was held up at a time while `run` went on. */
async function longestTurnDuring(run: () => Promise<unknown>): Promise<number> {
  process.kill(plane.pid(), "SIGUSR2");
  await expect.poll(() => longestTurn(turnFile)).toBeLessThan(BLOCKED_MS);
  await run();
  await client.call(ADMIN.getService, { name: "large" });
  return longestTurn(turnFile);
}

const backend = (i: number) => ({
  name: `large/b${i}`,
  target: { case: "address" as const, value: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:9001` },
  labels: { team: "checkout", release: "2026-11-29", rack: `r${i % 40}`, note: "x".repeat(150) },
});

const residentMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${plane.pid()}/status`, "utf8"))?.[1]) / 1024;

test("a thousand watchers that read nothing cost one copy of the state, and the others are refused with the limit", async () => {
  const before = residentMb();
  const request = Buffer.from(toBinary(WatchRequestSchema, create(WatchRequestSchema, {})));
  const errors: CallError[] = [];
  const calls: { cancel(): void }[] = [];
  const clients = Array.from(
    { length: 20 },
    () => new Client(plane.addresses.admin, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 }),
  );
  let begun = 0;
  const longest = await longestTurnDuring(async () => {
    for (const each of clients) {
      for (let i = 0; i < 50; i++) {
        const pass = (bytes: Buffer) => bytes;
        const call = each.makeServerStreamRequest("/fairlead.admin.v1.AdminService/Watch", pass, pass, request);
        calls.push(call);
        call.on("error", (error: ServiceError) => {
          if (error.code !== status.CANCELLED) errors.push(readError(error));
        });
        call.on("metadata", () => {
          begun += 1;
        });
      }
    }
    await expect.poll(() => begun + errors.length, { timeout: 30_000 }).toBe(1000);
  });
  expect(begun).toBe(256);
  for (const { code, reason, message } of errors) {
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(reason).toBe("TOO_MANY_CALLS");
    expect(message).toMatch(/"stream" of all clients: 257, but at most 256 are allowed; .*docs\/api\.md, "Limits"/);
  }
  expect(residentMb() - before).toBeLessThan(200);
  expect(longest).toBeLessThan(BLOCKED_MS);
  for (const call of calls) call.cancel();
  for (const each of clients) each.close();
  await client.call(ADMIN.getStatus, {});
}, 60_000);

test("who asks reflection for a thousand files and reads none is answered no more than it takes", async () => {
  const before = residentMb();
  const messageRequest = { case: "fileByFilename" as const, value: "fairlead/admin/v1/admin.proto" };
  const request = create(ServerReflectionRequestSchema, { messageRequest });
  const question = Buffer.from(toBinary(ServerReflectionRequestSchema, request));
  const grpc = new Client(plane.addresses.admin, credentials.createInsecure());
  const pass = (bytes: Buffer) => bytes;
  const call = grpc.makeBidiStreamRequest("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", pass, pass);
  call.on("error", () => undefined);
  const longest = await longestTurnDuring(async () => {
    for (let i = 0; i < 1_000; i++) call.write(question);
    await once(call, "metadata");
  });
  expect(residentMb() - before).toBeLessThan(60);
  expect(longest).toBeLessThan(BLOCKED_MS);
  call.cancel();
  grpc.close();
}, 60_000);

test("a request of millions of labels is refused before anything is made of it", async () => {
  const labels = Object.fromEntries(Array.from({ length: 500_000 }, (_, i) => [`k${i}`, "v"]));
  const objects: Given[] = [{ object: { case: "service", value: { name: "labels", labels } } }];
  const bytes = toBinary(ApplyRequestSchema, create(ApplyRequestSchema, { objects }));
  expect(bytes.byteLength).toBeGreaterThan(5_000_000);
  let error: CallError | undefined;
  const longest = await longestTurnDuring(async () => {
    error = await errorOf(client.send(ADMIN.apply, bytes));
  });
  expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: "TOO_MANY_FIELDS" });
  expect(longest).toBeLessThan(BLOCKED_MS);
}, 60_000);

test.each([
  ["of many rules", 100, 100, 4],
  ["of many objects", 450, 20, 3],
])(
  "an apply %s that is as large as it may be leaves the loop to others",
  async (_, routes, rules, destinations) => {
    const rule = (i: number) => ({
      match: { path: { kind: { case: "prefix" as const, value: `/a${i}` } } },
      to: Array.from({ length: destinations }, (_, k) => ({ service: `s${k}`, weight: 1 })),
    });
    const objects = Array.from(
      { length: routes },
      (_, i): Given => ({
        object: {
          case: "route",
          value: {
            name: `r${rules}-${i}`,
            listeners: ["web"],
            hosts: [`h${i}.example`],
            rules: Array.from({ length: rules }, (_, k) => rule(k)),
          },
        },
      }),
    );
    const longest = await longestTurnDuring(async () => {
      await client.call(ADMIN.apply, { objects });
    });
    expect(longest).toBeLessThan(BLOCKED_MS);
  },
  60_000,
);
