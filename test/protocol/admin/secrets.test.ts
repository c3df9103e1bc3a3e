// First: it marks fields of each kind before anybody has looked at them.
import "../../support/secret-fields.ts";

import { inflateRawSync } from "node:zlib";
import { create, type DescMethod, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ServerCredentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdminServer, createAdminServer } from "../../../src/admin/admin-server.ts";
import { KINDS, type Kind, type Name, storeKey } from "../../../src/domain/name.ts";
import { Change_Action as Action, AnyObjectSchema } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { ImportRequestSchema, RestoreRequestSchema } from "../../../src/gen/fairlead/admin/v1/archive_pb.ts";
import { Health_Status } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { importState } from "../../../src/operations/archive/import-state.ts";
import { restore } from "../../../src/operations/archive/restore.ts";
import { anyObject } from "../../../src/operations/objects/any-object.ts";
import { createLogger } from "../../../src/runtime/create-logger.ts";
import { LogSink } from "../../../src/runtime/log-sink.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { formatRevision } from "../../../src/store/revision.ts";
import { ADMIN, errorOf, TestClient } from "../../support/admin-client.ts";
import { openPlaneContext, type PlaneContext, TESTER, testContainment } from "../../support/plane-context.ts";

/** Every secret begins so, and nothing else does. */
const SECRET = "s3cr3t";
const FORMS = [SECRET, Buffer.from(SECRET).toString("base64")];

let plane: PlaneContext;
let server: AdminServer;
let client: TestClient;
let log = "";

beforeAll(async () => {
  plane = await openPlaneContext();
  const write = (line: string) => {
    log += line;
  };
  server = createAdminServer({
    context: plane,
    logger: createLogger("trace", new LogSink({ writableLength: 0, write })),
    notReady: () => undefined,
    containment: testContainment(),
  });
  client = new TestClient(await server.listen("127.0.0.1:0", ServerCredentials.createInsecure()));
});

afterAll(async () => {
  client.close();
  await server.stop(1000);
  await plane.close();
});

const secret = (which: string) => ({ note: `${SECRET} ${which}` });
const http = (host: string) => ({ probe: { case: "http" as const, value: { host, path: "/health" } } });
const name = "shop";

/** What of the stored objects is in domain's hands: the secrets are there. */
function stored(kind: Kind, of: Name = name): string {
  return Buffer.from(toText(plane.mirror.stored(kind, of)?.whole)).toString();
}

function toText(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner));
}

function expectNoSecret(what: string, bytes: Uint8Array | string): void {
  const content = Buffer.from(bytes).toString("latin1");
  expect(
    FORMS.filter((form) => content.includes(form)),
    what,
  ).toEqual([]);
}

async function ask<M extends DescMethod>(
  method: M,
  request: MessageInitShape<M["input"]>,
): Promise<MessageShape<M["output"]>> {
  const answer = await client.call(method, request);
  expectNoSecret(method.name, toBinary(method.output, answer));
  return answer;
}

/** The answers of a method that streams them; it is left once it has given so many. */
async function listen<M extends DescMethod>(method: M, request: MessageInitShape<M["input"]>, most: number) {
  const call = client.stream(method, request);
  call.on("error", () => undefined);
  const answers: MessageShape<M["output"]>[] = [];
  for await (const answer of call) if (answers.push(answer as MessageShape<M["output"]>) === most) break;
  call.cancel();
  return answers;
}

/** What a client may do, each with secrets in what is stored; a method without a line here does not compile. */
const DOORS: { readonly [M in keyof typeof ADMIN]: () => Promise<unknown> } = {
  createFleet: () => twice(ADMIN.createFleet, { fleet: { name, annotations: secret("of a fleet") } }),
  createService: () =>
    twice(ADMIN.createService, { service: { name, annotations: secret("of a service"), healthCheck: http(SECRET) } }),
  createListener: () =>
    twice(ADMIN.createListener, {
      listener: { name, fleet: name, address: "0.0.0.0:1234", annotations: secret("of a listener") },
    }),
  createRoute: () => {
    const rules = [{ to: [{ service: name }] }];
    const route = { name, listeners: [name], hosts: ["*"], rules, annotations: secret("of a route") };
    return twice(ADMIN.createRoute, { route });
  },
  putPolicy: () => twice(ADMIN.putPolicy, { policy: { name, annotations: secret("of a policy") } }),
  registerBackend: async () => {
    const target = { case: "address", value: "10.0.0.1:80" } as const;
    const other = { case: "address", value: "10.0.0.2:80" } as const;
    await twice(ADMIN.registerBackend, { backend: { name: "shop/a", target, annotations: secret("of a backend") } });
    await ask(ADMIN.registerBackend, { backend: { name: "shop/b", target: other, annotations: secret("of another") } });
  },
  reportHealth: () => {
    const verdict = { backend: "shop/a", source: "reporter:x", status: Health_Status.HEALTHY };
    return ask(ADMIN.reportHealth, { health: { ...verdict, reason: `${SECRET} of a verdict` } });
  },

  updateService: async () => {
    await ask(ADMIN.updateService, {
      service: { name, annotations: secret("of a service, later"), healthCheck: http(`${SECRET}-2`) },
    });
    await ask(ADMIN.updateService, {
      service: { name, healthCheck: { probe: { case: "tcp", value: { send: Buffer.from(`${SECRET} bytes`) } } } },
    });
    const wrong = { name, healthCheck: http(`${SECRET} no host`) };
    expectNoSecret("an error", toText(await errorOf(client.call(ADMIN.updateService, { service: wrong }))));
    for (const healthCheck of [
      { http: { host: [SECRET] } },
      { http: { host: 53321 } },
      { tcp: { send: `${SECRET} !` } },
    ]) {
      const read = messageFromJson("service", { name, healthCheck });
      expect(read.ok).toBe(false);
      expectNoSecret("a manifest's error", toText(read));
      expect(toText(read)).not.toContain("53321");
    }
  },
  updateListener: () =>
    ask(ADMIN.updateListener, {
      listener: { name, fleet: name, address: "0.0.0.0:1235", annotations: secret("later") },
    }),
  updateRoute: async () => {
    const rules = [{ to: [{ service: name }], priority: 1 }];
    await ask(ADMIN.updateRoute, { route: { name, listeners: [name], hosts: ["*"], rules } });
  },
  updateFleet: async () => {
    const changed = await ask(ADMIN.updateFleet, { fleet: { name, annotations: secret("later") } });
    const [from, to] = ["(withheld)", "(withheld, changed)"].map((text) => JSON.stringify(text));
    expect(changed.change?.fields).toMatchObject([{ path: "annotations", from, to }]);
    await ask(ADMIN.createFleet, { fleet: { name: "other", annotations: secret("to go") } });
    await ask(ADMIN.updateFleet, { fleet: { name: "other" }, updateMask: { paths: ["annotations"] } });
    expect(stored("fleet", "other")).not.toContain(SECRET);
    await ask(ADMIN.deleteFleet, { name: "other" });
  },
  apply: async () => {
    const read = messageFromJson("policy", { name, panicThreshold: 7, annotations: secret("applied") });
    if (!read.ok) throw new Error(toText(read.violations));
    const objects = [anyObject("policy", read.message)];
    await ask(ADMIN.apply, { objects, options: { validateOnly: true } });
    await ask(ADMIN.apply, { objects, options: { requestId: "apply-1" } });
    await ask(ADMIN.apply, { objects, options: { requestId: "apply-1" } });
    const again = await ask(ADMIN.apply, { objects });
    expect(again.changes.map(({ action }) => action)).toEqual([Action.UNCHANGED]);
  },

  getService: () => ask(ADMIN.getService, { name }),
  getListener: () => ask(ADMIN.getListener, { name }),
  getRoute: () => ask(ADMIN.getRoute, { name }),
  getFleet: () => ask(ADMIN.getFleet, { name }),
  getPolicy: () => ask(ADMIN.getPolicy, { name }),
  getBackend: () => ask(ADMIN.getBackend, { name: "shop/a" }),
  listServices: () => ask(ADMIN.listServices, {}),
  listListeners: () => ask(ADMIN.listListeners, {}),
  listRoutes: () => ask(ADMIN.listRoutes, {}),
  listFleets: () => ask(ADMIN.listFleets, {}),
  listPolicies: () => ask(ADMIN.listPolicies, {}),
  listBackends: () => ask(ADMIN.listBackends, {}),
  listHealth: () => ask(ADMIN.listHealth, {}),
  listHistory: async () => {
    for (const kind of ["service", "listener", "route", "fleet", "policy"]) {
      expect((await ask(ADMIN.listHistory, { kind, name })).entries.length).toBeGreaterThan(0);
    }
  },
  explainBackend: () => ask(ADMIN.explainBackend, { name: "shop/a" }),
  explainRoute: () => ask(ADMIN.explainRoute, { name }),
  explainService: () => ask(ADMIN.explainService, { name }),
  explainPolicy: () => ask(ADMIN.explainPolicy, { name }),
  explainListener: () => ask(ADMIN.explainListener, { name }),
  explainFleet: () => ask(ADMIN.explainFleet, { name }),
  explainNode: async () => {
    plane.nodes.set({ id: "edge-1", fleet: name }, { state: "done", message: "" } as never);
    await ask(ADMIN.explainNode, { name: "edge-1" });
  },
  explainRequest: () => ask(ADMIN.explainRequest, { url: "http://shop.example:1235/" }),
  getStatus: () => ask(ADMIN.getStatus, {}),
  listNodes: () => ask(ADMIN.listNodes, {}),
  getNode: () => ask(ADMIN.getNode, { id: "edge-1" }),
  watch: async () => {
    const kinds = KINDS.filter((kind) => kind !== "health");
    const answers = await listen(ADMIN.watch, {}, 1);
    expect(answers.flatMap(({ events }) => events).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining([...kinds, "health"]),
    );
    for (const answer of answers) expectNoSecret("watch", toBinary(ADMIN.watch.output, answer));
  },
  waitForRevision: async () => {
    const request = { revision: formatRevision(plane.mirror.revision), allowEmpty: true };
    for (const answer of await listen(ADMIN.waitForRevision, request, 1)) {
      expectNoSecret("waitForRevision", toBinary(ADMIN.waitForRevision.output, answer));
    }
  },
  forgetNode: async () =>
    expectNoSecret("forgetNode", toText(await errorOf(client.call(ADMIN.forgetNode, { id: "nobody" })))),
  resend: async () => expectNoSecret("resend", toText(await errorOf(client.call(ADMIN.resend, { id: "nobody" })))),

  rollback: async () => {
    const before = stored("service");
    await ask(ADMIN.rollback, { kind: "route", name, toGeneration: 1n, options: { requestId: "back" } });
    expect(stored("route")).toContain(`${SECRET} of a route`);
    expect(stored("service")).toBe(before);
  },
  rollbackRevision: async () => {
    const { revision } = await ask(ADMIN.updateRoute, {
      route: { name, listeners: [name], hosts: ["a.example"], rules: [{ to: [{ service: name }] }] },
    });
    await ask(ADMIN.rollbackRevision, { revision });
    expect(stored("route")).toContain(`${SECRET} of a route`);
  },
  drainBackend: () => ask(ADMIN.drainBackend, { name: "shop/a", allowRemoval: true }),
  clearHealth: async () => {
    const { backend, source } = { backend: "shop/a", source: "override" };
    const health = { backend, source, status: Health_Status.UNHEALTHY, reason: `${SECRET} override` };
    await ask(ADMIN.reportHealth, { health, allowRemoval: true });
    await ask(ADMIN.clearHealth, { backend, source });
  },
  setEncodingProfile: async () =>
    expectNoSecret("setEncodingProfile", toText(await errorOf(client.call(ADMIN.setEncodingProfile, { profile: 99 })))),
  deleteRecord: async () =>
    expectNoSecret(
      "deleteRecord",
      toText(await errorOf(client.call(ADMIN.deleteRecord, { key: storeKey("service", name) }))),
    ),

  import: async () => {
    const whole = new Map(
      KINDS.map((kind) => [kind, Array.from(plane.mirror.all(kind), (one) => stored(kind, one.name))]),
    );
    const exported = (await listen(ADMIN.watch, {}, 1)).flatMap(({ events }) => events);
    const objects = exported.flatMap(({ object }) =>
      object === undefined ? [] : { object: { case: "any" as const, value: object } },
    );
    const request = create(ImportRequestSchema, { options: { replace: true }, objects });
    const answer = await importState(plane, TESTER, requestsOf([request]));
    expectNoSecret("import", toText(answer));
    expect(answer.changes).toEqual([]);
    for (const [kind, before] of whole) {
      if (kind === "health") continue;
      const after = Array.from(plane.mirror.all(kind), (one) => stored(kind, one.name));
      expect(after.map(withoutVersion), kind).toEqual(before.map(withoutVersion));
    }
    const fresh = messageFromJson("policy", { name: "imported", annotations: secret("imported") });
    if (!fresh.ok) throw new Error(toText(fresh.violations));
    const more = create(ImportRequestSchema, {
      options: { replace: true },
      objects: [...objects, { object: { case: "any", value: anyObject("policy", fresh.message) } }],
    });
    expectNoSecret("import", toText(await importState(plane, TESTER, requestsOf([more]))));
    expect(stored("policy", "imported")).toContain(SECRET);
  },

  // The store's own form: what holds the secrets, and nothing else of it.
  backup: async () => {
    const records = (await listen(ADMIN.backup, {}, 100)).flatMap((answer) => answer.records);
    const kinds = Map.groupBy(records, ({ record }) => record.case);
    expect(kinds.get("entry")?.length).toBeGreaterThan(7);
    expect(kinds.get("copy")?.length).toBeGreaterThan(7);
    expect(kinds.get("journal")?.length).toBeGreaterThan(15);
    for (const { record } of records) {
      if (record.case === "copy") expectNoSecret(`a copy of ${record.value.key}`, record.value.value);
      if (record.case !== "journal") continue;
      const { operation, result, reason, requestId } = record.value;
      expectNoSecret(operation, `${reason} ${requestId}`);
      if (result !== undefined) expectNoSecret(operation, inflateRawSync(result));
    }
    const whole = stored("policy");
    await restore(plane, TESTER, requestsOf([create(RestoreRequestSchema, { options: { replace: true }, records })]));
    expect(withoutVersion(stored("policy"))).toBe(withoutVersion(whole));
  },
  restore: async () => undefined,

  completeDrain: () => ask(ADMIN.completeDrain, { name: "shop/a" }),
  unregisterBackend: () => ask(ADMIN.unregisterBackend, { name: "shop/b", allowRemoval: true }),
  deleteRoute: () => ask(ADMIN.deleteRoute, { name }),
  deleteListener: () => ask(ADMIN.deleteListener, { name, force: true }),
  deletePolicy: () => ask(ADMIN.deletePolicy, { name, force: true }),
  deleteService: () => ask(ADMIN.deleteService, { name, force: true }),
  deleteFleet: () => ask(ADMIN.deleteFleet, { name, force: true }),
};

/** A write and its retry, which is given the same answer. */
async function twice<M extends DescMethod>(method: M, request: MessageInitShape<M["input"]>): Promise<void> {
  const tried = { ...request, options: { requestId: `${method.name}-1` } };
  const first = await ask(method, tried);
  expect(await ask(method, tried)).toEqual(first);
  // What the journal keeps of a request says nothing of its secrets, not even whether a guess is right.
  const other = JSON.parse(toText(tried).replaceAll(SECRET, `${SECRET} guessed`)) as typeof tried;
  expect(await ask(method, other)).toEqual(first);
}

async function* requestsOf<T>(requests: readonly T[]): AsyncGenerator<T> {
  yield* requests;
}

function withoutVersion(text: string): string {
  return text.replaceAll(/"version":"[^"]*"/g, "");
}

test("no door shows a secret, and every secret is still there", async () => {
  expect(AnyObjectSchema.fields.length).toBe(KINDS.length - 1);
  for (const [method, door] of Object.entries(DOORS)) {
    await door().catch((error: unknown) => {
      throw new Error(`${method}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
    if (method === "apply") {
      for (const kind of KINDS) {
        const all = Array.from(plane.mirror.all(kind), (one) => stored(kind, one.name));
        expect(all.length, kind).toBeGreaterThan(0);
        for (const one of all) expect(one, kind).toContain(SECRET);
      }
    }
  }
  expect(log).toContain("admin call refused");
  expectNoSecret("the log", log);
});
