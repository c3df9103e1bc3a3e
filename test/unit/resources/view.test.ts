import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { bootstrapYaml } from "../../../src/cli/bootstrap-config.ts";
import { featureLevelOf, XDS_CLUSTER, XDS_CLUSTER_KEY } from "../../../src/resources/view.ts";

const BOOTSTRAP = parse(
  bootstrapYaml({
    nodeId: "edge-1",
    fleet: "edge",
    xds: [{ host: "127.0.0.1", port: 18000 }],
    adminSocket: "/run/a.sock",
    sotw: false,
  }),
);
const NEWEST = { userAgentName: "envoy", userAgentVersion: "1.40.0", metadata: BOOTSTRAP.node.metadata };

describe("what a proxy can take", () => {
  it.each(["1.40.0", "1.41.2", "2.0.0"])("is all of it for Envoy %s with a bootstrap of ours", (userAgentVersion) => {
    expect(featureLevelOf({ ...NEWEST, userAgentVersion })).toBe("leds");
  });

  it.each([
    ["an older Envoy", { userAgentVersion: "1.39.9" }],
    ["an Envoy whose version says nothing", { userAgentVersion: "main" }],
    ["another client", { userAgentName: "a router of our own" }],
    ["a bootstrap that does not name the plane", { metadata: {} }],
    ["a bootstrap that names it otherwise", { metadata: { [XDS_CLUSTER_KEY]: "xds" } }],
  ])("is the base for %s", (_, other) => {
    expect(featureLevelOf({ ...NEWEST, ...other })).toBe("base");
  });

  it.each(["gRPC Node Pure JS", "gRPC C-core linux Python", "gRPC Go", "gRPC Java", "grpc-go"])(
    "is what gRPC clients take for %s",
    (userAgentName) => expect(featureLevelOf({ ...NEWEST, userAgentName })).toBe("grpc"),
  );

  it("is told by a bootstrap that has the cluster which it names", () => {
    expect(BOOTSTRAP.static_resources.clusters.map(({ name }: { name: string }) => name)).toEqual([XDS_CLUSTER]);
  });
});
