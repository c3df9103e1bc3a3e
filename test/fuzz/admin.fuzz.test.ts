import {
  create,
  type DescMethod,
  type DescMethodUnary,
  fromBinary,
  fromJson,
  type JsonObject,
  toBinary,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterAll, beforeAll, test } from "vitest";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { ServiceSchema } from "../../src/gen/fairlead/admin/v1/service_pb.ts";
import { TestClient } from "../support/admin-client.ts";
import { type Attack, CAMPAIGN_TIMEOUT_MS, campaign } from "./campaign.ts";
import type { Chance } from "./chance.ts";
import { AUTHORITIES } from "./dictionary.ts";
import { type FuzzedPlane, startFuzzedPlane } from "./fuzzed-plane.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateMessage } from "./mutate-message.ts";

let fuzzed: FuzzedPlane;
let client: TestClient;

beforeAll(async () => {
  fuzzed = await startFuzzedPlane();
  client = new TestClient(fuzzed.plane.addresses.admin);
});

afterAll(async () => {
  client?.close();
  await fuzzed?.[Symbol.asyncDispose]();
});

const METHODS: readonly DescMethod[] = Object.values(AdminService.method);

/** Requests that are right; the attacks begin with them. Methods without one begin with an empty request. */
const REQUESTS: Readonly<Record<string, JsonObject>> = {
  CreateService: { service: { name: "fuzz", protocol: "HTTP", healthCheck: { http: { path: "/" }, interval: "1s" } } },
  UpdateService: {
    service: {
      name: "shop",
      healthCheck: { grpc: { service: "x", authority: "a" }, interval: "0.1s", timeout: "0.05s" },
    },
  },
  CreateListener: { listener: { name: "fuzz", fleet: "edge", address: "127.0.0.1:10001" } },
  UpdateListener: { listener: { name: "web", fleet: "edge", address: "127.0.0.1:10000" } },
  CreateRoute: {
    route: { name: "fuzz", listeners: ["web"], hosts: ["a.example"], rules: [{ to: [{ service: "shop" }] }] },
  },
  UpdateRoute: {
    route: {
      name: "shop",
      listeners: ["web"],
      hosts: ["*"],
      rules: [{ match: { path: { regex: "/a.*" } }, to: [{ service: "shop", weight: 1 }] }],
    },
  },
  CreateFleet: { fleet: { name: "fuzz", nodes: { cluster: "fuzz" } } },
  UpdateFleet: { fleet: { name: "edge", nodes: { cluster: "edge" } } },
  RegisterBackend: {
    backend: { name: "shop/s2", address: "127.0.0.1:9002", metadata: { a: "b" }, locality: { zone: "z" } },
  },
  DrainBackend: { name: "shop/s2" },
  ExplainBackend: { name: "shop/s1" },
  ReportHealth: {
    health: { backend: "shop/s1", source: "reporter:fuzz", status: "HEALTHY", observeTime: "2026-11-29T00:00:00Z" },
  },
  PutPolicy: { policy: { name: "shop", algorithm: "RING_HASH", hashOn: [{ header: "x" }], panicThreshold: 0 } },
  Apply: { objects: [{ service: { name: "fuzz2" } }, { backend: { name: "fuzz2/b", address: "127.0.0.1:9003" } }] },
  ListBackends: { service: "shop", pageSize: 10 },
  ListHistory: { kind: "route", name: "shop" },
  Rollback: { kind: "route", name: "shop", toGeneration: "1" },
  Watch: { kinds: ["service"] },
  WaitForRevision: { revision: "1.1" },
};

function requestOf(method: DescMethod, chance: Chance): Uint8Array {
  const request = fromJson(method.input, REQUESTS[method.name] ?? {});
  if (chance.happens(85)) mutateMessage(method.input, request, chance);
  const bytes = toBinary(method.input, request);
  const sent = chance.happens(30) ? mutateBytes(bytes, chance) : bytes;
  return method === AdminService.method.import && replacesAll(sent) ? new Uint8Array() : sent;
}

/** Whoever is allowed to remove everything may do so, and the witness would be without its fleet. */
function replacesAll(bytes: Uint8Array): boolean {
  try {
    return fromBinary(AdminService.method.import.input, bytes).options?.allowRemoval === true;
  } catch {
    return false;
  }
}

/** Whatever is answered, an answer comes, or the stream is left after a moment. */
async function call(method: DescMethod, bytes: Uint8Array): Promise<void> {
  if (method.methodKind === "unary") {
    await client.send(method as DescMethodUnary, bytes).catch(() => undefined);
    return;
  }
  await client.talk(method, [bytes], { leaveAfterMs: 50 });
}

const anyMethod: Attack = {
  name: "a mutated admin call",
  weight: 20,
  run: async (chance) => {
    const methods = Array.from({ length: 20 }, () => chance.oneOf(METHODS));
    await Promise.all(methods.map((method) => call(method, requestOf(method, chance))));
  },
};

const grpcAuthority: Attack = {
  name: "a gRPC check with an odd authority, of a backend that takes the connection",
  run: async (chance) => {
    const names = AUTHORITIES.map((authority, i) => ({ authority, name: `authority-${i}` }));
    for (const { authority, name } of names) {
      const healthCheck = { grpc: { authority }, interval: "0.1s", timeout: "0.05s", unhealthyThreshold: 1 };
      const objects = [
        { service: { name, healthCheck } },
        { backend: { name: `${name}/b`, address: fuzzed.backendAddress } },
      ];
      await call(AdminService.method.apply, encode(AdminService.method.apply, { objects }));
    }
    await pause(400 + chance.below(100));
  },
};

const distantTime: Attack = {
  name: "a report from a time that no calendar has",
  run: async () => {
    const { reportHealth, listHealth } = AdminService.method;
    const request = fromJson(reportHealth.input, REQUESTS["ReportHealth"] ?? {});
    for (const seconds of [10n ** 15n, -(10n ** 15n), 253_402_300_800n]) {
      if (request.health) request.health.observeTime = { $typeName: "google.protobuf.Timestamp", seconds, nanos: 0 };
      await call(reportHealth, toBinary(reportHealth.input, request));
    }
    await client.call(listHealth, {});
    await fuzzed.plane.mustCli("get", "health");
    await fuzzed.plane.mustCli("export");
  },
};

const manyLabels: Attack = {
  name: "labels by the hundred thousand in one request",
  run: async () => {
    const { createService } = AdminService.method;
    // As many as fit the limit of a request, and the number that once blocked a plane for nine seconds.
    for (const count of [500_000, 1_350_000]) await call(createService, serviceWithLabels(count));
  },
};

const manyWatchers: Attack = {
  name: "watchers on many connections that do not read",
  run: async () => {
    const { watch } = AdminService.method;
    const request = toBinary(watch.input, create(watch.input, {}));
    const clients = Array.from({ length: 20 }, () => new TestClient(fuzzed.plane.addresses.admin));
    const watches = clients.flatMap((each) =>
      Array.from({ length: 50 }, () => each.talk(watch, [request], { leaveAfterMs: 500, reads: false })),
    );
    await Promise.all(watches);
    for (const each of clients) each.close();
  },
};

const reusedRequestId: Attack = {
  name: "one request id for everything",
  weight: 2,
  run: async (chance) => {
    const address = `127.0.0.1:${9100 + chance.below(100)}`;
    const backend = { name: `shop/r${chance.below(9)}`, address };
    await call(
      AdminService.method.registerBackend,
      encode(AdminService.method.registerBackend, { backend, options: { requestId: "the-same" } }),
    );
  },
};

test(
  "no admin call ends the plane, keeps others waiting or stays in memory",
  async () => {
    await campaign(fuzzed, [anyMethod, grpcAuthority, distantTime, manyLabels, manyWatchers, reusedRequestId]);
    await fuzzed.memoryReturns();
  },
  CAMPAIGN_TIMEOUT_MS,
);

/** A request to create a service, put together by hand, since a message of that size is not soon made. */
function serviceWithLabels(count: number): Uint8Array {
  const { labels } = ServiceSchema.field;
  const service = new BinaryWriter();
  for (let i = 0; i < count; i++) {
    service.tag(labels.number, WireType.LengthDelimited).fork();
    service
      .tag(1, WireType.LengthDelimited)
      .string(`k${i.toString(36)}`)
      .join();
  }
  return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(service.finish()).finish();
}

function encode(method: DescMethod, json: unknown): Uint8Array {
  return toBinary(method.input, fromJson(method.input, json as JsonObject));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
