import { create, fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type Cluster, ClusterSchema } from "../../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "../../../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { prepareResource } from "../../../../src/xds/server/cached-resource.ts";

const shop = (altStatName = "s"): Cluster => create(ClusterSchema, { name: "shop", altStatName });

describe("prepareResource", () => {
  it("xds R22: names a resource by what its message is named, so that a removal by that name finds it", () => {
    const cluster = prepareResource(shop());
    expect(cluster.name).toBe(fromBinary(ClusterSchema, cluster.body ?? new Uint8Array()).name);
    expect(prepareResource(create(ListenerSchema, { name: "web" })).name).toBe("web");
    expect(prepareResource(create(ClusterLoadAssignmentSchema, { clusterName: "shop" })).name).toBe("shop");
  });

  it("xds C4: gives equal content an equal version, and other content another", () => {
    expect(prepareResource(shop()).version).toBe(prepareResource(shop()).version);
    expect(prepareResource(shop("t")).version).not.toBe(prepareResource(shop()).version);
  });

  it("takes a version of the caller's, and still tells changed content apart", () => {
    const given = (body: number) => ({ typeUrl: "T", name: "a", body: Uint8Array.of(body), version: "7" });
    expect(prepareResource(given(1)).version).toBe("7");
    expect(prepareResource(given(1)).hash).not.toBe(prepareResource(given(2)).hash);
  });

  it("refuses a message of a type that xDS does not serve", () => {
    const address = { $typeName: "envoy.config.core.v3.Address", address: { case: undefined } } as const;
    expect(() => prepareResource(address)).toThrow(TypeError);
  });
});
