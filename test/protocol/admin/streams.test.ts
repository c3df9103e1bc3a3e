import { ServerCredentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AdminServer, createAdminServer } from "../../../src/admin/admin-server.ts";
import {
  WaitForRevisionRequest_Disconnected as Disconnected,
  WaitForRevisionResponse_Outcome as Outcome,
  type WatchResponse,
} from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../../src/gen/grpc/health/v1/health_pb.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { ADMIN, errorOf, readError, TestClient } from "../../support/admin-client.ts";
import { openPlaneContext, type PlaneContext, testContainment } from "../../support/plane-context.ts";

let plane: PlaneContext;
let server: AdminServer;
let client: TestClient;

beforeEach(async () => {
  plane = await openPlaneContext();
  server = createAdminServer({
    context: plane,
    logger: silentLogger,
    notReady: () => undefined,
    containment: testContainment(),
  });
  client = new TestClient(await server.listen("127.0.0.1:0", ServerCredentials.createInsecure()));
});

afterEach(async () => {
  client.close();
  await server.stop(1000);
  await plane.close();
});

describe("Watch", () => {
  test("tells the present state, then that it is complete, then each commit with all of its changes", async () => {
    await client.call(ADMIN.createService, { service: { name: "a" } });
    const stream = client.stream(ADMIN.watch, {});
    const messages = stream[Symbol.asyncIterator]();
    const first = (await messages.next()).value;
    expect(first).toMatchObject({ synced: true, events: [{ kind: "service", name: "a", deleted: false }] });
    const { revision } = await client.call(ADMIN.apply, {
      objects: ["b", "c"].map((name) => ({ object: { case: "service" as const, value: { name } } })),
    });
    expect((await messages.next()).value).toMatchObject({
      revision,
      synced: false,
      events: [{ name: "b", object: { object: { value: { meta: { version: revision } } } } }, { name: "c" }],
    });
    await client.call(ADMIN.deleteService, { name: "b" });
    expect((await messages.next()).value).toMatchObject({ events: [{ kind: "service", name: "b", deleted: true }] });
    stream.cancel();
  });

  test("what is too much for one answer comes in several, and whoever goes on from one of them misses nothing", async () => {
    const { revision: before } = await client.call(ADMIN.createFleet, { fleet: { name: "f" } });
    const names = Array.from({ length: 200 }, (_, i) => `s${String(i).padStart(3, "0")}`);
    const annotations = { long: "x".repeat(4_000) };
    const { revision } = await client.call(ADMIN.apply, {
      objects: names.map((name) => ({ object: { case: "service" as const, value: { name, annotations } } })),
    });
    const told: string[] = [];
    const revisions: string[] = [];
    const stream = client.stream(ADMIN.watch, { fromRevision: before }) as AsyncIterable<WatchResponse>;
    for await (const answer of stream) {
      told.push(...answer.events.map(({ name }) => name));
      revisions.push(answer.revision);
      if (answer.revision === revision) break;
    }
    expect(told.sort()).toEqual(names);
    expect(revisions.length).toBeGreaterThan(2);
    expect(new Set(revisions.slice(0, -1))).toEqual(new Set([before]));
  });

  test("tells only what it is asked for, from where it is asked to", async () => {
    const { revision } = await client.call(ADMIN.createService, { service: { name: "a" } });
    await client.call(ADMIN.createFleet, { fleet: { name: "f" } });
    await client.call(ADMIN.createService, { service: { name: "b" } });
    const stream = client.stream(ADMIN.watch, { kinds: ["service"], fromRevision: revision });
    const messages = stream[Symbol.asyncIterator]();
    expect((await messages.next()).value).toMatchObject({ revision, synced: true, events: [] });
    expect((await messages.next()).value).toMatchObject({ synced: false, events: [{ kind: "service", name: "b" }] });
    stream.cancel();
  });

  test("says of each commit who made it, how, when and why, also of a deletion", async () => {
    const stream = client.stream(ADMIN.watch, {});
    const messages = stream[Symbol.asyncIterator]();
    await messages.next();
    const { revision } = await client.call(ADMIN.apply, {
      objects: ["b", "c"].map((name) => ({ object: { case: "service" as const, value: { name } } })),
      options: { reason: "more traffic" },
    });
    const { value: made } = await messages.next();
    expect(made).toMatchObject({
      events: [
        { name: "b", revision },
        { name: "c", revision },
      ],
      commits: [{ revision, operation: "apply", reason: "more traffic", actor: expect.stringMatching(/./) }],
    });
    expect(made?.events[0]?.time).toEqual(made?.events[0]?.object?.object.value?.meta?.updateTime);
    await client.call(ADMIN.deleteService, { name: "b", options: { reason: "gone" } });
    const { value: deleted } = await messages.next();
    expect(deleted).toMatchObject({ commits: [{ operation: "delete-service", reason: "gone" }] });
    expect(deleted?.events[0]?.time?.seconds).toBe(deleted?.commits[0]?.time?.seconds);
    stream.cancel();
  });

  test("is refused from a revision that nobody has written", async () => {
    const { revision } = await client.call(ADMIN.createService, { service: { name: "a" } });
    const [epoch, position] = revision.split(".").map(Number);
    for (const future of [`${epoch}.${(position ?? 0) + 1_000_000}`, `${(epoch ?? 0) + 1}.1`]) {
      const error = await client.stream(ADMIN.watch, { fromRevision: future }).toArray().catch(readError);
      expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, reason: "REVISION_NOT_WRITTEN" });
    }
  });

  test.each([[{ kinds: ["pod"] }], [{ fromRevision: "yesterday" }]])("%j is refused", async (request) => {
    const stream = client.stream(ADMIN.watch, request);
    const error = await stream.toArray().catch(readError);
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test("ends as unavailable when the plane stops", async () => {
    const stream = client.stream(ADMIN.watch, {});
    const messages = stream[Symbol.asyncIterator]();
    await messages.next();
    const [error] = await Promise.all([messages.next().catch(readError), server.stop(5000)]);
    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "STOPPING" });
  });
});

describe("WaitForRevision", () => {
  const DONE = { state: "done" } as const;
  const SENT = { state: "sent", message: "not acknowledged yet" } as const;
  const outcomes = async (request: Parameters<typeof client.stream<typeof ADMIN.waitForRevision>>[1]) =>
    await client.stream(ADMIN.waitForRevision, request).toArray();

  test("is over at once when everybody is done", async () => {
    plane.nodes.set({ id: "edge-1" }, DONE);
    expect(await outcomes({})).toMatchObject([{ outcome: Outcome.REACHED, total: 1, done: 1, pending: [] }]);
  });

  test("tells each progress, and who joined meanwhile", async () => {
    plane.nodes.set({ id: "edge-1" }, SENT);
    plane.nodes.set({ id: "edge-2" }, SENT);
    const messages = client.stream(ADMIN.waitForRevision, {})[Symbol.asyncIterator]();
    expect((await messages.next()).value).toMatchObject({ outcome: Outcome.WAITING, total: 2, done: 0 });
    plane.nodes.set({ id: "edge-1" }, DONE);
    expect((await messages.next()).value).toMatchObject({ outcome: Outcome.WAITING, done: 1 });
    plane.nodes.set({ id: "edge-3" }, SENT);
    expect((await messages.next()).value).toMatchObject({ outcome: Outcome.WAITING, total: 2, joined: ["edge-3"] });
    plane.nodes.set({ id: "edge-2" }, DONE);
    expect((await messages.next()).value).toMatchObject({ outcome: Outcome.REACHED, total: 2, done: 2 });
    expect((await messages.next()).done).toBe(true);
  });

  test("waits for a replica that is silent, and for what it turns out to hold", async () => {
    plane.nodes.set({ id: "edge-1" }, DONE);
    plane.nodes.silent = [{ replica: "plane-b", silentMs: 2000 }];
    const messages = client.stream(ADMIN.waitForRevision, {})[Symbol.asyncIterator]();
    expect((await messages.next()).value).toMatchObject({
      outcome: Outcome.WAITING,
      total: 1,
      done: 1,
      unknownReplicas: [{ replica: "plane-b" }],
    });
    plane.nodes.silent = [];
    plane.nodes.set({ id: "edge-2", replica: "plane-b" }, SENT);
    expect((await messages.next()).value).toMatchObject({ outcome: Outcome.WAITING, total: 2, unknownReplicas: [] });
    plane.nodes.set({ id: "edge-2", replica: "plane-b" }, DONE);
    expect((await messages.next()).value).toMatchObject({ outcome: Outcome.REACHED, total: 2, done: 2 });
  });

  test("is over without a silent replica for enough proxies, and for those that it names", async () => {
    plane.nodes.set({ id: "edge-1" }, DONE);
    plane.nodes.silent = [{ replica: "plane-b", silentMs: 2000 }];
    expect(await outcomes({ atLeast: 1 })).toMatchObject([{ outcome: Outcome.REACHED }]);
    expect(await outcomes({ nodes: ["edge-1"] })).toMatchObject([{ outcome: Outcome.REACHED, total: 1 }]);
    const missing = await outcomes({ nodes: ["edge-9"], timeout: { nanos: 50_000_000 } });
    expect(missing.at(-1)).toMatchObject({ outcome: Outcome.TIMED_OUT, pending: [{ id: "edge-9", state: "unknown" }] });
  });

  test("a refusal ends it at once with the proxy's words", async () => {
    plane.nodes.set({ id: "edge-1" }, SENT);
    plane.nodes.set({ id: "edge-2" }, { state: "refused", message: "cannot bind" });
    expect(await outcomes({})).toMatchObject([
      {
        outcome: Outcome.REFUSED,
        pending: [{ id: "edge-1" }, { id: "edge-2", state: "refused", message: "cannot bind" }],
      },
    ]);
  });

  test("who was done once stays done, also when it goes away", async () => {
    plane.nodes.set({ id: "edge-1" }, DONE);
    plane.nodes.set({ id: "edge-2" }, SENT);
    const messages = client.stream(ADMIN.waitForRevision, {})[Symbol.asyncIterator]();
    await messages.next();
    plane.nodes.set({ id: "edge-1", connected: false }, { state: "disconnected", message: "no open stream" });
    plane.nodes.set({ id: "edge-2" }, DONE);
    expect((await messages.next()).value).toMatchObject({ outcome: Outcome.REACHED, done: 2 });
  });

  test("runs out of time with the list of who is missing", async () => {
    plane.nodes.set({ id: "edge-1" }, { state: "held", message: "web: quarantine" });
    const answers = await outcomes({ timeout: { nanos: 50_000_000 } });
    expect(answers.at(-1)).toMatchObject({
      outcome: Outcome.TIMED_OUT,
      pending: [{ id: "edge-1", state: "held", message: "web: quarantine" }],
    });
  });

  const AWAY = { state: "disconnected", message: "no open stream" } as const;

  test("a proxy that no fleet selects, or whose fleet is gone, holds nothing up unless it is named", async () => {
    plane.nodes.set({ id: "edge-1" }, DONE);
    plane.nodes.set({ id: "stranger", fleet: undefined }, SENT);
    plane.nodes.set({ id: "left", fleet: undefined, connected: false }, AWAY);
    plane.nodes.set({ id: "orphan", fleet: "no-more", connected: false }, AWAY);
    await client.call(ADMIN.createFleet, { fleet: { name: "edge", nodes: { cluster: "new" } } });
    plane.nodes.set({ id: "unselected", cluster: "old", connected: false }, AWAY);
    expect(await outcomes({})).toMatchObject([{ outcome: Outcome.REACHED, total: 1, pending: [] }]);
    const named = await outcomes({ nodes: ["left"], timeout: { nanos: 50_000_000 } });
    expect(named.at(-1)).toMatchObject({ outcome: Outcome.TIMED_OUT, pending: [{ id: "left" }] });
  });

  test("proxies that are away are awaited, skipped or fatal, as asked", async () => {
    await client.call(ADMIN.createFleet, { fleet: { name: "edge" } });
    plane.nodes.set({ id: "edge-1" }, DONE);
    plane.nodes.set({ id: "gone", connected: false }, { state: "disconnected", message: "no open stream" });
    const timeout = { nanos: 50_000_000 };
    expect((await outcomes({ timeout })).at(-1)?.outcome).toBe(Outcome.TIMED_OUT);
    expect(await outcomes({ onDisconnected: Disconnected.SKIP })).toMatchObject([
      { outcome: Outcome.REACHED, total: 1, skipped: ["gone"] },
    ]);
    expect(await outcomes({ onDisconnected: Disconnected.FAIL })).toMatchObject([{ outcome: Outcome.DISCONNECTED }]);
  });

  test("only the proxies that are named, or of a fleet, are waited for", async () => {
    plane.nodes.set({ id: "edge-1" }, DONE);
    plane.nodes.set({ id: "other", fleet: "other" }, SENT);
    expect(await outcomes({ fleet: "edge" })).toMatchObject([{ outcome: Outcome.REACHED, total: 1 }]);
    expect(await outcomes({ nodes: ["edge-1"] })).toMatchObject([{ outcome: Outcome.REACHED, total: 1 }]);
  });

  test("a set without a proxy, with too few or with unknown ones is an error", async () => {
    const errorFor = async (request: Parameters<typeof outcomes>[0]) => await errorOf(outcomes(request));
    expect(await errorFor({})).toMatchObject({ code: status.FAILED_PRECONDITION, reason: "NO_PROXIES" });
    expect(await outcomes({ allowEmpty: true })).toMatchObject([{ outcome: Outcome.REACHED, total: 0 }]);
    plane.nodes.set({ id: "edge-1" }, DONE);
    expect(await errorFor({ atLeast: 2 })).toMatchObject({ reason: "NOT_ENOUGH_PROXIES" });
    expect(await errorFor({ nodes: ["nobody"] })).toMatchObject({ code: status.NOT_FOUND, reason: "NODE_NOT_FOUND" });
    expect(await errorFor({ revision: "x" })).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await errorFor({ timeout: { seconds: 7200n } })).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await errorFor({ onDisconnected: 9 as Disconnected })).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test("a listener that is gone leaves nothing behind", async () => {
    plane.nodes.set({ id: "edge-1" }, SENT);
    const stream = client.stream(ADMIN.waitForRevision, {});
    await stream[Symbol.asyncIterator]().next();
    stream.cancel();
    await expect.poll(() => plane.nodes.listening).toBe(0);
  });
});

describe("the standard health service", () => {
  test("tells whether the plane and its services are ready", async () => {
    expect(await client.call(Health.method.check, {})).toMatchObject({ status: Serving.SERVING });
    expect(await client.call(Health.method.check, { service: "fairlead.admin.v1.AdminService" })).toMatchObject({
      status: Serving.SERVING,
    });
    expect((await errorOf(client.call(Health.method.check, { service: "nobody" }))).code).toBe(status.NOT_FOUND);
  });

  test("can be watched", async () => {
    const stream = client.stream(Health.method.watch, { service: "nobody" });
    expect((await stream[Symbol.asyncIterator]().next()).value).toMatchObject({ status: Serving.SERVICE_UNKNOWN });
    stream.cancel();
  });
});
