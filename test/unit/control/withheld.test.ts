import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Mirror } from "../../../src/control/mirror.ts";
import { type AskingProxy, Withheld } from "../../../src/control/withheld.ts";
import { type Kind, storeKey } from "../../../src/domain/name.ts";
import { PolicySchema } from "../../../src/gen/fairlead/admin/v1/policy_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { encodeStored } from "../../../src/schema/stored-object.ts";
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LEDS_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
} from "../../../src/xds/protocol/resource-types.ts";
import { GARBAGE, laterObject } from "../../support/strange-records.ts";

const meta = { uid: "u", generation: 1n };
const revision = { epoch: 1, position: 3 };

function stored(kind: Kind, json: object): Uint8Array {
  const read = messageFromJson(kind, { ...json, meta: { uid: "u", generation: "1" } });
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  return encodeStored(kind, read.message);
}

const rules = [{ to: [{ service: "shop" }] }];
const SOUND: Readonly<Record<string, Uint8Array>> = {
  [storeKey("fleet", "edge")]: stored("fleet", { name: "edge" }),
  [storeKey("listener", "web")]: stored("listener", { name: "web", fleet: "edge", address: "127.0.0.1:80" }),
  [storeKey("listener", "api")]: stored("listener", { name: "api", fleet: "edge", address: "127.0.0.1:81" }),
  [storeKey("service", "shop")]: stored("service", { name: "shop", policy: "gentle" }),
  [storeKey("service", "pay")]: stored("service", { name: "pay" }),
  [storeKey("route", "r")]: stored("route", { name: "r", listeners: ["web"], hosts: ["*"], rules }),
};

/** What a plane reads at its start. */
function startedWith(records: Readonly<Record<string, Uint8Array>>): Mirror {
  const mirror = new Mirror();
  const entries = Object.entries({ ...SOUND, ...records }).map(([key, value]) => ({ key, value, revision }));
  mirror.fold({ kind: "state", revision, synced: true, entries });
  return mirror;
}

const member = (service: string) => `xdstp://fairlead/envoy.config.endpoint.v3.LbEndpoint/${service}/g/p/id`;
const ASKED: readonly (readonly [label: string, typeUrl: string, name: string])[] = [
  ...["shop", "pay"].flatMap((name) => [
    [`cds ${name}`, CLUSTER_TYPE, name] as const,
    [`eds ${name}`, ENDPOINT_TYPE, name] as const,
    [`leds ${name}`, LEDS_TYPE, member(name)] as const,
  ]),
  ...["web", "api"].flatMap((name) => [
    [`lds ${name}`, LISTENER_TYPE, name] as const,
    [`rds ${name}`, ROUTE_TYPE, name] as const,
  ]),
];

const holding: AskingProxy = { group: "edge", variant: "delta", mayHold: () => true };
const fresh: AskingProxy = { ...holding, mayHold: () => false };

/** Changes that are kept back, and removals with a minus before them. */
function heldBack(mirror: Mirror, proxy: AskingProxy): string[] {
  const withheld = new Withheld(mirror);
  return ASKED.flatMap(([label, typeUrl, name]) => [
    ...(withheld.hold(proxy, { typeUrl, name }, "v1") === undefined ? [] : [label]),
    ...(withheld.hold(proxy, { typeUrl, name }, "") === undefined ? [] : [`-${label}`]),
  ]);
}

const both = (...labels: string[]) => labels.flatMap((label) => [label, `-${label}`]);
const shop = both("cds shop", "eds shop", "leds shop");
const removals = ["-cds pay", "-cds shop", "-eds pay", "-eds shop", "-leds pay", "-leds shop"];
const everything = both(...ASKED.map(([label]) => label));

test.each([
  ["service", "projects/default/services/shop", [...shop, ...both("rds web")]],
  ["backend", "projects/default/services/shop/backends/s1", shop],
  ["verdict", "projects/default/services/shop/backends/s1/health/prober", shop],
  ["verdict of no known source", "projects/default/services/shop/backends/s1/health/foo", shop],
  ["policy that a service names", "projects/default/policies/gentle", [...shop, ...both("rds web")]],
  ["policy of a service's own name", "projects/default/policies/pay", both("cds pay", "eds pay", "leds pay")],
  ["listener", "projects/default/listeners/web", [...both("lds web", "rds web"), ...removals]],
  ["route", "projects/default/routes/r", [...both("rds web", "rds api"), ...removals]],
  ["fleet", "projects/default/fleets/edge", everything],
  ["key that names nothing", "projects/-/services/shop", []],
  ["record beside the objects", "refusals/x", []],
])("of an unreadable %s, a proxy keeps what it may have, and a new one is told the rest", (_, key, expected) => {
  const mirror = startedWith({ [key]: GARBAGE });
  expect(heldBack(mirror, holding).toSorted()).toEqual([...expected].toSorted());
  expect(heldBack(mirror, fresh)).toEqual([]);
});

test("what a later release wrote is kept back from every proxy", () => {
  const service = laterObject("service", create(ServiceSchema, { name: "shop", policy: "gentle", meta }));
  const mirror = startedWith({ [storeKey("service", "shop")]: service });
  expect(mirror.get("service", "shop")?.policy).toBe("gentle");
  for (const proxy of [holding, fresh]) {
    expect(heldBack(mirror, proxy).toSorted()).toEqual([...shop, ...both("rds web")].toSorted());
  }
  const policy = laterObject("policy", create(PolicySchema, { name: "pay", meta }));
  const changed = { key: storeKey("policy", "pay"), value: policy, revision: { epoch: 1, position: 4 } };
  mirror.fold({ kind: "commit", revision: changed.revision, at: 0, changes: [changed] });
  expect(heldBack(mirror, fresh)).toContain("cds pay");
});

test("an object of a kind that only a later release knows keeps everything back", () => {
  expect(heldBack(startedWith({ "projects/default/certificates/edge": GARBAGE }), fresh).toSorted()).toEqual(
    everything.toSorted(),
  );
  expect(heldBack(startedWith({ "projects/default/services/shop/backends/s1/tokens/x": GARBAGE }), fresh)).toContain(
    "cds shop",
  );
});

test("garbage that arrives while a plane runs keeps nothing back, whether there was something before or not", () => {
  const mirror = startedWith({});
  const changes = ["projects/default/services/shop", "projects/default/routes/new"].map((key) => {
    return { key, value: GARBAGE, revision: { epoch: 1, position: 4 } };
  });
  mirror.fold({ kind: "commit", revision: { epoch: 1, position: 4 }, at: 0, changes });
  expect(heldBack(mirror, holding)).toEqual([]);
  expect(mirror.get("service", "shop")?.policy).toBe("gentle");
});

test("a full set that lacks something is not sent to a proxy that does not say what it holds", () => {
  const withheld = new Withheld(startedWith({ "projects/default/listeners/web": GARBAGE }));
  const resumed: AskingProxy = { group: "edge", variant: "sotw", mayHold: () => true };
  const known: AskingProxy = { group: "edge", variant: "sotw", mayHold: ({ name }) => name === "api" };
  const api = { typeUrl: LISTENER_TYPE, name: "api" };
  expect(withheld.hold(resumed, api, "v1")).toBe("unreadable_stored_object");
  expect(withheld.hold(known, api, "v1")).toBeUndefined();
});

test("hosts that gRPC clients dial are kept back for what their routes come from, and for a listener that nobody knows", () => {
  const calls = {
    [storeKey("listener", "calls")]: stored("listener", { name: "calls", fleet: "edge", protocol: "GRPC" }),
  };
  const client: AskingProxy = { ...holding, group: "edge grpc" };
  const kept = (records: Readonly<Record<string, Uint8Array>>, version = "v1") => {
    const withheld = new Withheld(startedWith({ ...calls, ...records }));
    return [LISTENER_TYPE, ROUTE_TYPE].map((typeUrl) =>
      withheld.hold(client, { typeUrl, name: "shop.example" }, version),
    );
  };
  const unreadable = "unreadable_stored_object";
  expect(kept({})).toEqual([undefined, undefined]);
  expect(kept({ "projects/default/routes/more": GARBAGE })).toEqual([undefined, unreadable]);
  // A host that has lost its routes has lost its listener.
  expect(kept({ "projects/default/routes/more": GARBAGE }, "")).toEqual([unreadable, unreadable]);
  expect(kept({ "projects/default/listeners/calls": GARBAGE })).toEqual([unreadable, unreadable]);
  expect(kept({ "projects/default/listeners/unknown": GARBAGE })).toEqual([unreadable, unreadable]);
  expect(kept({ "projects/default/services/pay": GARBAGE })).toEqual([undefined, undefined]);
});

test("what was kept back is free once the record is mended or gone, and more garbage in its place frees nothing", () => {
  const key = storeKey("service", "shop");
  const mirror = startedWith({ [key]: GARBAGE });
  const withheld = new Withheld(mirror);
  const cluster = { typeUrl: CLUSTER_TYPE, name: "shop" };
  const write = (position: number, value: Uint8Array | undefined) => {
    const revision = { epoch: 1, position };
    mirror.fold({ kind: "commit", revision, at: 0, changes: [{ key, value, revision }] });
  };
  write(4, Uint8Array.of(9));
  expect(withheld.hold(holding, cluster, "")).toBe("unreadable_stored_object");
  write(5, SOUND[key]);
  expect(withheld.hold(holding, cluster, "")).toBeUndefined();
});
