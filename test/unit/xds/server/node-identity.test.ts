import { create, type JsonObject, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NodeSchema } from "../../../../src/gen/envoy/config/core/v3/base_pb.ts";
import { UnreadableBytes } from "../../../../src/xds/server/field-reader.ts";
import { LimitMet } from "../../../../src/xds/server/limit-met.ts";
import { DEFAULT_LIMITS, type XdsLimits } from "../../../../src/xds/server/limits.ts";
import { readNode } from "../../../../src/xds/server/node-identity.ts";

const read = (node: MessageInitShape<typeof NodeSchema>, limits: Partial<XdsLimits> = {}) =>
  readNode(Buffer.from(toBinary(NodeSchema, create(NodeSchema, node))), { ...DEFAULT_LIMITS, ...limits });

describe("what a client says of itself", () => {
  test("is read as it was written, whatever its metadata", () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 8 });
    fc.assert(
      fc.property(objects, fc.string(), (object, cluster) => {
        // What JSON makes of it: -0 is 0.
        const metadata = JSON.parse(JSON.stringify(object)) as JsonObject;
        const node = read({ id: "n", cluster, metadata });
        expect(node.metadata).toEqual(metadata);
        expect(node.cluster).toBe(cluster);
      }),
    );
  });

  test("a key of the metadata is a key, and nothing else", () => {
    const { metadata } = read({
      metadata: JSON.parse('{"__proto__": {"polluted": true}, "toString": 1}') as JsonObject,
    });
    expect(Object.keys(metadata)).toEqual(["__proto__", "toString"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each<[string, MessageInitShape<typeof NodeSchema>, Partial<XdsLimits>, string]>([
    ["an id", { id: "abcde" }, { maxNodeTextBytes: 4 }, "node.id has 5 bytes; at most 4 (XdsLimits.maxNodeTextBytes)"],
    ["a cluster", { cluster: "abcde" }, { maxNodeTextBytes: 4 }, "node.cluster has 5 bytes"],
    ["a zone", { locality: { zone: "abcde" } }, { maxNodeTextBytes: 4 }, "node.locality.zone has 5 bytes"],
    ["a user agent", { userAgentName: "abcde" }, { maxNodeTextBytes: 4 }, "node.user_agent_name has 5 bytes"],
    ["a feature", { clientFeatures: ["abcde"] }, { maxNodeTextBytes: 4 }, "node.client_features has 5 bytes"],
    [
      "many features",
      { clientFeatures: ["a", "b", "c"] },
      { maxNodeValues: 2 },
      "node.client_features has 3 or more values",
    ],
    ["large metadata", { metadata: { a: "bc" } }, { maxNodeMetadataBytes: 4 }, "(XdsLimits.maxNodeMetadataBytes)"],
    ["many values", { metadata: { a: 1, b: 2, c: 3 } }, { maxNodeValues: 2 }, "node.metadata has 3 or more values"],
    ["many inner values", { metadata: { a: [1, 2, 3] } }, { maxNodeValues: 3 }, "node.metadata has 4 or more values"],
  ])("%s beyond its limit is refused", (_, node, limits, says) => {
    expect(() => read(node, limits)).toThrow(LimitMet);
    expect(() => read(node, limits)).toThrow(says);
  });

  test("metadata that is nested too deeply is refused before it takes the stack", () => {
    let nested: JsonObject = {};
    for (let depth = 0; depth < 40; depth++) nested = { a: nested };
    expect(() => read({ metadata: nested })).toThrow(UnreadableBytes);
  });
});
