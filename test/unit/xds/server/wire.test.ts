import { fromBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  ResourceSchema,
} from "../../../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { systemClock } from "../../../../src/runtime/clock.ts";
import { contentVersion } from "../../../../src/xds/content/content-version.ts";
import { prepareResource } from "../../../../src/xds/server/cached-resource.ts";
import { messageOf, ResponseEncoder } from "../../../../src/xds/server/encode-response.ts";
import { ROUTE_TYPE } from "../../../../src/xds/server/library.ts";

const body = Buffer.from("content");
const resource = prepareResource({
  typeUrl: ROUTE_TYPE,
  name: "r",
  body,
  aliases: ["alias"],
  ttlMs: 1500,
  references: [],
});
const send = {
  typeUrl: ROUTE_TYPE,
  nonce: "n-1",
  version: "v",
  resources: [resource],
  removed: ["gone"],
  heartbeat: false,
  withTtl: false,
} as const;

function encoded(variant: "delta" | "sotw", change: { withTtl?: boolean; heartbeat?: boolean } = {}): Buffer {
  return messageOf(new ResponseEncoder(systemClock).encode({ ...send, ...change }, variant, "me"));
}

it("composes delta responses that any protobuf library reads", () => {
  const response = fromBinary(DeltaDiscoveryResponseSchema, encoded("delta"));
  expect(response).toMatchObject({
    typeUrl: ROUTE_TYPE,
    nonce: "n-1",
    removedResources: ["gone"],
    systemVersionInfo: "me",
  });
  expect(response.resources[0]).toMatchObject({ name: "r", version: resource.version, aliases: ["alias"] });
  expect(response.resources[0]?.ttl).toMatchObject({ seconds: 1n, nanos: 500_000_000 });
  expect(response.resources[0]?.resource).toMatchObject({ typeUrl: ROUTE_TYPE, value: body });
});

it("composes SotW responses that any protobuf library reads", () => {
  const response = fromBinary(DiscoveryResponseSchema, encoded("sotw"));
  expect(response).toMatchObject({ typeUrl: ROUTE_TYPE, nonce: "n-1", versionInfo: "v" });
  expect(response.controlPlane?.identifier).toBe("me");
  expect(response.resources[0]).toMatchObject({ typeUrl: ROUTE_TYPE, value: body });
});

it("xds R10: wraps a resource with a TTL only for a SotW client that understands it", () => {
  const response = fromBinary(DiscoveryResponseSchema, encoded("sotw", { withTtl: true }));
  const wrapped = response.resources[0];
  expect(wrapped?.typeUrl).toBe("type.googleapis.com/envoy.service.discovery.v3.Resource");
  expect(fromBinary(ResourceSchema, wrapped?.value ?? new Uint8Array()).name).toBe("r");
});

it("xds R11: a heartbeat has the version sent last, a TTL and no body", () => {
  const response = fromBinary(DeltaDiscoveryResponseSchema, encoded("delta", { heartbeat: true }));
  expect(response.resources[0]).toMatchObject({ name: "r", version: resource.version });
  expect(response.resources[0]?.resource).toBeUndefined();
});

it("xds C4: equal content has an equal version, and a version of the caller's does not hide other content", () => {
  const plain = prepareResource({ typeUrl: ROUTE_TYPE, name: "r", body, references: [] });
  expect(plain.version).toBe(contentVersion(ROUTE_TYPE, "r", body));
  const one = prepareResource({ typeUrl: ROUTE_TYPE, name: "r", body, version: "7", references: [] });
  const two = prepareResource({
    typeUrl: ROUTE_TYPE,
    name: "r",
    body: Buffer.from("other"),
    version: "7",
    references: [],
  });
  expect([one.version, two.version]).toEqual(["7", "7"]);
  expect(one.hash).not.toBe(two.hash);
});
