import { createRegistry, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseHostPort } from "../../../src/cli/bootstrap-config.ts";
import { BootstrapSchema } from "../../../src/gen/envoy/config/bootstrap/v3/bootstrap_pb.ts";
import { ApiConfigSource_ApiType } from "../../../src/gen/envoy/config/core/v3/config_source_pb.ts";
import { HttpProtocolOptionsSchema } from "../../../src/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import { runAgainst } from "./fake-plane.ts";

async function bootstrapOf(...argv: readonly string[]) {
  const run = await runAgainst({}, ["bootstrap", "--node-id", "edge-1", "--fleet", "edge", ...argv]);
  expect(run).toMatchObject({ code: 0, stderr: "", calls: [] });
  expect(run.stdout).not.toMatch(/[&*]a1/);
  const json = parse(run.stdout) as JsonValue;
  return fromJson(BootstrapSchema, json, { registry: createRegistry(HttpProtocolOptionsSchema) });
}

describe("bootstrap", () => {
  it("is a message that Envoy's own protos accept, field by field", async () => {
    const bootstrap = await bootstrapOf();
    expect(bootstrap.node).toMatchObject({ id: "edge-1", cluster: "edge" });
    expect(bootstrap.dynamicResources?.adsConfig).toMatchObject({
      apiType: ApiConfigSource_ApiType.DELTA_GRPC,
      setNodeOnFirstMessageOnly: true,
    });
    expect(bootstrap.dynamicResources?.cdsConfig?.configSourceSpecifier.case).toBe("ads");
    expect(bootstrap.dynamicResources?.ldsConfig?.configSourceSpecifier.case).toBe("ads");
  });

  it("keeps Envoy's admin page on a Unix socket of its own, which only Envoy's user may use", async () => {
    const socketOf = async (...argv: readonly string[]) => {
      const { admin } = await bootstrapOf(...argv);
      expect(admin?.address?.address).toMatchObject({ case: "pipe", value: { mode: 0o600 } });
      return admin?.address?.address.case === "pipe" ? admin.address.address.value.path : "";
    };
    expect(await socketOf()).toBe("/run/fairlead/edge-1/admin.sock");
    expect(await socketOf("--admin-socket", "/tmp/e/admin.sock")).toBe("/tmp/e/admin.sock");
    const { stdout } = await runAgainst({}, ["bootstrap", "--node-id", "a", "--fleet", "b"]);
    expect(stdout).toContain("install -d -m 700 '/run/fairlead/a'");
  });

  it.each(["a/b", "..", "a b", "x".repeat(100)])("needs a path for the node id %j", async (id) => {
    const argv = ["bootstrap", "--node-id", id, "--fleet", "edge"];
    expect(await runAgainst({}, argv)).toMatchObject({ code: 2, stdout: "" });
    expect(await runAgainst({}, [...argv, "--admin-socket", "/run/e.sock"])).toMatchObject({ code: 0 });
  });

  it.each(["admin.sock", `/${"a".repeat(107)}`, "/run/", "/a\nb", "/a'b", ""])("refuses the path %j", async (path) => {
    const argv = ["bootstrap", "--node-id", "a", "--fleet", "b", "--admin-socket", path];
    expect(await runAgainst({}, argv)).toMatchObject({ code: 2, stdout: "" });
  });

  it("speaks state-of-the-world when asked", async () => {
    const { dynamicResources } = await bootstrapOf("--sotw");
    expect(dynamicResources?.adsConfig?.apiType).toBe(ApiConfigSource_ApiType.GRPC);
  });

  it("names every plane, so that one can go", async () => {
    const { staticResources } = await bootstrapOf("--xds", "10.0.0.1:1,10.0.0.2:2");
    const endpoints = staticResources?.clusters[0]?.loadAssignment?.endpoints[0]?.lbEndpoints ?? [];
    expect(JSON.stringify(endpoints)).toContain("10.0.0.2");
    expect(endpoints).toHaveLength(2);
  });

  it.each([
    ["10.0.0.1:18000", "STATIC"],
    ["[2001:db8::1]:18000", "STATIC"],
    ["plane.example:18000", "STRICT_DNS"],
  ])("reaches the plane at %s by a cluster of type %s", async (xds, type) => {
    const { stdout } = await runAgainst({}, ["bootstrap", "--node-id", "a", "--fleet", "b", "--xds", xds]);
    expect(parse(stdout)).toMatchObject({ static_resources: { clusters: [{ type }] } });
  });
});

describe("bootstrap --grpc", () => {
  const grpc = (...argv: readonly string[]) =>
    runAgainst({}, ["bootstrap", "--grpc", "--node-id", "cart-1", "--fleet", "shops", ...argv]);

  it("is the JSON that gRPC libraries read", async () => {
    const { code, stdout, stderr } = await grpc("--xds", "10.0.0.1:1,[2001:db8::1]:2", "--locality", "eu/a");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const server = { channel_creds: [{ type: "insecure" }], server_features: ["xds_v3"] };
    expect(JSON.parse(stdout)).toEqual({
      xds_servers: [
        { server_uri: "10.0.0.1:1", ...server },
        { server_uri: "[2001:db8::1]:2", ...server },
      ],
      node: { id: "cart-1", cluster: "shops", locality: { region: "eu", zone: "a" } },
    });
  });

  it("has a locality even where none is given, since grpc-js wants one", async () => {
    expect(JSON.parse((await grpc()).stdout)).toMatchObject({ node: { locality: {} } });
  });

  it.each([["--sotw"], ["--admin-socket", "/run/e.sock"], ["--locality", "eu//a"], ["--locality", "a/b/c/d"]])(
    "refuses %s %s",
    async (...argv) => expect(await grpc(...argv)).toMatchObject({ code: 2, stdout: "" }),
  );

  it("is the only one with a locality", async () => {
    const argv = ["bootstrap", "--node-id", "a", "--fleet", "b", "--locality", "eu"];
    expect(await runAgainst({}, argv)).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("parseHostPort", () => {
  it.each(["plane", "plane:", ":1", "plane:0", "plane:65536", "http://plane:1", "::1:18000", "[x]:1"])(
    "refuses %s",
    (text) => {
      expect(parseHostPort(text)).toBeUndefined();
    },
  );
});
