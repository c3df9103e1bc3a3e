import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adminHandlers } from "../../../src/api/admin-handlers.ts";
import { BackendSchema, HealthSchema, Health_Status as Status } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ListenerSchema } from "../../../src/gen/fairlead/admin/v1/listener_pb.ts";
import { NodeType_State } from "../../../src/gen/fairlead/admin/v1/node_pb.ts";
import {
  GetNodeRequestSchema,
  ListNodesRequestSchema,
  ResendRequestSchema,
} from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { reportHealth } from "../../../src/operations/membership/report-health.ts";
import { SeenObservations } from "../../../src/operations/membership/seen-observations.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { getObject } from "../../../src/operations/objects/get-object.ts";
import { getStatus } from "../../../src/operations/observing/get-status.ts";
import { LAG_BOUND_MS } from "../../../src/operations/observing/problems.ts";
import { parseRevision } from "../../../src/store/revision.ts";
import { LISTENER_TYPE } from "../../../src/xds/protocol/resource-types.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

const DONE = { state: "done" } as const;
const whats = async () => (await getStatus(plane)).problems.map(({ what }) => what);
const addService = (name: string) =>
  createObject(plane, TESTER, { kind: "service", message: create(ServiceSchema, { name }), options: undefined });
const register = (name: string) =>
  registerBackend(plane, TESTER, {
    backend: create(BackendSchema, { name, target: { case: "address", value: "10.0.0.1:80" } }),
    expectedVersion: "",
  });

describe("proxies", () => {
  test("are counted by how they are", async () => {
    plane.nodes.set({ id: "a" }, DONE);
    plane.nodes.set({ id: "b", lagMs: 20 }, DONE);
    plane.nodes.set({ id: "c", connected: false }, DONE);
    plane.nodes.set({ id: "d", fleet: undefined, silent: "no fleet selects it" }, DONE);
    expect(await getStatus(plane)).toMatchObject({ proxiesConnected: 3, proxiesUpToDate: 1, proxiesRefusing: 0 });
  });

  test("that get nothing, share an id or are behind are problems", async () => {
    plane.nodes.set({ id: "silent", silent: "no fleet selects it" }, DONE);
    plane.nodes.set({ id: "twice", duplicate: true }, DONE);
    plane.nodes.set({ id: "slow", lagMs: LAG_BOUND_MS + 1 }, DONE);
    expect(await whats()).toEqual(["node silent gets nothing", "node slow is behind", "node twice is connected twice"]);
  });

  test("that refuse something are a problem, and a condition on the object it comes from", async () => {
    const message = create(ListenerSchema, { name: "web", fleet: "edge", address: "0.0.0.0:80" });
    await createObject(plane, TESTER, { kind: "listener", message, options: undefined });
    plane.nodes.set({ id: "edge-7" }, DONE);
    plane.nodes.standing.push({
      nodeId: "edge-7",
      typeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener",
      resource: "web",
      version: "v1",
      message: "cannot bind",
      at: 5,
      objects: [{ kind: "listener", name: "web" }],
    });
    const { problems, proxiesRefusing } = await getStatus(plane);
    expect(proxiesRefusing).toBe(1);
    expect(problems[0]).toMatchObject({ what: "node edge-7 refused listener web", why: "cannot bind" });
    expect((await getObject(plane, "listener", "web")).conditions).toMatchObject([
      { type: "ResolvedRefs" },
      { type: "Programmed", ok: false, reason: "Refused" },
    ]);
  });

  test("are listed by fleet, and told with each resource one by one", async () => {
    const resource = { sent: "v2", acked: "v1", refused: undefined, unknown: false, held: "quarantine" };
    plane.nodes.set(
      {
        id: "edge-1",
        types: [
          {
            typeUrl: LISTENER_TYPE,
            shortName: "LDS",
            state: "refused",
            known: 1,
            resources: [{ name: "web", ...resource }],
            refusals: [{ name: "web", message: "cannot bind" }],
            refused: 4,
            missing: [],
          },
        ],
      },
      DONE,
    );
    plane.nodes.set({ id: "other-1", fleet: "other" }, DONE);
    const { getNode, listNodes, resend } = adminHandlers(plane);
    expect(await listNodes(create(ListNodesRequestSchema, { fleet: "edge" }), TESTER)).toMatchObject({
      nodes: [
        {
          id: "edge-1",
          types: [{ type: "LDS", state: NodeType_State.REFUSED, known: 1, resources: [] }],
          conditions: [{ ok: false, reason: "REFUSED", message: "LDS web: cannot bind; and 3 more" }],
        },
      ],
    });
    const edge = create(GetNodeRequestSchema, { id: "edge-1", type: "lds" });
    expect(await getNode(edge, TESTER)).toMatchObject({
      types: [{ resources: [{ name: "web", versionSent: "v2", versionAcknowledged: "v1", held: "quarantine" }] }],
    });
    await expect(getNode({ ...edge, type: "LSD" }, TESTER)).rejects.toMatchObject({
      violations: [{ field: "type", message: expect.stringContaining("one of CDS, EDS") }],
    });
    const nobody = create(GetNodeRequestSchema, { id: "nobody" });
    await expect(getNode(nobody, TESTER)).rejects.toMatchObject({ code: "NODE_NOT_FOUND" });
    plane.nodes.silent = [{ replica: "plane-b", silentMs: 12_000 }];
    await expect(getNode(nobody, TESTER)).rejects.toMatchObject({ code: "REPLICA_SILENT" });
    const again = create(ResendRequestSchema, { id: "edge-1", type: "LDS" });
    expect(await resend(again, TESTER)).toMatchObject({ resources: 3, unknownReplicas: [{ replica: "plane-b" }] });
    expect(plane.nodes.resent).toEqual([{ id: "edge-1", typeUrl: LISTENER_TYPE }]);
    await expect(resend({ ...again, id: "nobody" }, TESTER)).rejects.toMatchObject({ code: "REPLICA_SILENT" });
    expect(await listNodes(create(ListNodesRequestSchema), TESTER)).toMatchObject({
      unknownReplicas: [{ replica: "plane-b" }],
    });
  });
});

describe("services", () => {
  test("without a backend, or with an unhealthy one, are not whole", async () => {
    await addService("whole");
    await register("whole/a");
    await addService("empty");
    await addService("sick");
    await register("sick/a");
    const health = create(HealthSchema, {
      backend: "sick/a",
      source: "reporter:x",
      status: Status.UNHEALTHY,
      reason: "HTTP 503",
    });
    await reportHealth({ ...plane, seen: new SeenObservations(plane) }, TESTER, { health, allowRemoval: false });
    const status = await getStatus(plane);
    expect(status).toMatchObject({ services: 3, servicesWhole: 1, servicesDown: 2, backends: 2, backendsEligible: 1 });
    expect(status.problems.map(({ what }) => what)).toEqual(["service empty is DOWN", "service sick is DOWN"]);
    expect(status.problems[1]?.why).toContain("HTTP 503");
    expect(status.problems[1]?.since).toBeDefined();
  });

  test("what refers to nothing is told", async () => {
    const message = create(ServiceSchema, { name: "shop", policy: "fast" });
    await createObject(plane, TESTER, { kind: "service", message, options: undefined });
    expect(await whats()).toContain("service shop");
  });
});

test("the plane names itself, its revision and the last write", async () => {
  const { revision } = await addService("shop");
  expect(await getStatus(plane)).toMatchObject({
    version: "0.0.0-test",
    replica: "plane-test",
    store: "embedded",
    revision: parseRevision(revision),
  });
  expect((await getStatus(plane)).lastWriteAt).toBeDefined();
});
