import { create } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { follow } from "../../../src/control/follow.ts";
import { Mirror } from "../../../src/control/mirror.ts";
import { startDuties } from "../../../src/duties/start-duties.ts";
import { FleetSchema } from "../../../src/gen/fairlead/admin/v1/fleet_pb.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { networksForNewFleetsOf } from "../../../src/operations/objects/fill-networks.ts";
import { updateObject } from "../../../src/operations/objects/update-object.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { newContainment } from "../../support/containment.ts";
import { openMemoryStore } from "../../support/embedded-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeNodeDirectory } from "../../support/fake-node-directory.ts";
import { openPlaneContext, TESTER } from "../../support/plane-context.ts";

const LOCAL = networksForNewFleetsOf(true);

test("a state that comes without networks while a plane runs is given them once; what is emptied later stays empty", async () => {
  const clock = new FakeClock();
  const opened = await openMemoryStore({ clock });
  const mirror = new Mirror();
  const stop = new AbortController();
  void follow(opened.state, [mirror], { signal: stop.signal, log: silentLogger });
  await using context = { ...(await openPlaneContext()), [Symbol.asyncDispose]: () => opened.state.close() };
  const plane = { ...context, store: opened.state, journal: opened.journal, mirror, clock };
  const message = create(FleetSchema, { name: "edge" });
  const networks = () => mirror.get("fleet", "edge")?.backendNetworks;
  await createObject(plane, TESTER, { kind: "fleet", message, options: undefined });
  expect(networks()).toEqual([]);

  const { lease } = opened;
  const duties = startDuties({
    mirror,
    store: opened.state,
    clock,
    log: silentLogger,
    containment: newContainment(),
    lease,
    workers: () => [],
    nodes: new FakeNodeDirectory(),
    networksForNewFleets: LOCAL,
  });
  await clock.advance(1000);
  expect(networks()).toEqual(LOCAL);

  const updateMask = create(FieldMaskSchema, { paths: ["backend_networks"] });
  await updateObject(plane, TESTER, { kind: "fleet", message, updateMask, expectedVersion: "", options: undefined });
  await clock.advance(1000);
  expect(networks()).toEqual([]);
  await duties.stop();
  stop.abort();
  await context.close();
});
