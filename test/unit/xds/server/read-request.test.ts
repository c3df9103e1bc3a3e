import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { SharedTables } from "../../../../src/xds/protocol/shared-tables.ts";
import { UnreadableBytes } from "../../../../src/xds/server/field-reader.ts";
import { LimitMet } from "../../../../src/xds/server/limit-met.ts";
import { DEFAULT_LIMITS, type XdsLimits } from "../../../../src/xds/server/limits.ts";
import { readContext, readDeltaRequest, readDiscoveryRequest } from "../../../../src/xds/server/read-request.ts";

const names = fc.array(fc.string({ unit: "grapheme", maxLength: 40 }), { maxLength: 30 });
const texts = fc.string({ unit: "grapheme", maxLength: 40 });
const error = fc.option(fc.record({ code: fc.integer({ min: -5, max: 20 }), message: texts }), { nil: undefined });

describe("requests are read as any protobuf library wrote them", () => {
  test("SotW, whatever the client sent before", () => {
    const context = reading();
    fc.assert(
      fc.property(
        texts,
        texts,
        texts,
        names,
        error,
        fc.array(names, { maxLength: 3 }),
        (typeUrl, versionInfo, nonce, listed, errorDetail, before) => {
          const earlier = before.map((each) => readDiscoveryRequest(sotw({ resourceNames: each }), [], context).list);
          const bytes = sotw({
            node: { id: "n" },
            typeUrl,
            versionInfo,
            responseNonce: nonce,
            resourceNames: listed,
            ...withError(errorDetail),
          });
          const read = readDiscoveryRequest(bytes, earlier, context);
          expect(read.request).toEqual({ typeUrl, versionInfo, nonce, error: errorDetail });
          expect(read.list.names).toEqual(listed);
          expect(read.node?.toString("latin1")).toBe("\n\u0001n");
        },
      ),
    );
  });

  test("delta", () => {
    const versions = fc.dictionary(texts, texts, { maxKeys: 5 });
    fc.assert(
      fc.property(
        texts,
        names,
        names,
        versions,
        error,
        (typeUrl, subscribe, unsubscribe, initialVersions, errorDetail) => {
          const message = toBinary(
            DeltaDiscoveryRequestSchema,
            create(DeltaDiscoveryRequestSchema, {
              typeUrl,
              responseNonce: "7",
              resourceNamesSubscribe: subscribe,
              resourceNamesUnsubscribe: unsubscribe,
              initialResourceVersions: initialVersions,
              ...withError(errorDetail),
            }),
          );
          const { request, node } = readDeltaRequest(Buffer.from(message), reading());
          const expected = { typeUrl, nonce: "7", subscribe, unsubscribe, error: errorDetail };
          expect(request).toEqual({ ...expected, initialVersions: new Map(Object.entries(initialVersions)) });
          expect(node).toBeUndefined();
        },
      ),
    );
  });
});

describe("equal lists of names are kept once", () => {
  const long = Array.from({ length: 100 }, (_, index) => `cluster-${index}`);

  test("for streams that never saw each other's", () => {
    const context = reading();
    const first = readDiscoveryRequest(sotw({ resourceNames: long }), [], context).list;
    expect(readDiscoveryRequest(sotw({ resourceNames: long }), [], context).list).toBe(first);
  });

  test("a list that only begins like an earlier one is another", () => {
    const context = reading();
    const short = readDiscoveryRequest(sotw({ resourceNames: long.slice(0, 60) }), [], context).list;
    expect(readDiscoveryRequest(sotw({ resourceNames: long }), [short], context).list.names).toEqual(long);
  });

  test("names that do not stand together are read together", () => {
    const parts = [sotw({ resourceNames: ["a", "b"] }), sotw({ responseNonce: "7" }), sotw({ resourceNames: ["c"] })];
    const { list, request } = readDiscoveryRequest(Buffer.concat(parts), [], reading());
    expect(list.names).toEqual(["a", "b", "c"]);
    expect(request.nonce).toBe("7");
  });
});

describe("what cannot be read is refused", () => {
  test.each([
    [
      "more names than allowed",
      { resourceNames: ["a", "b", "c"] },
      { maxNames: 2 },
      "3 or more resources; at most 2 (XdsLimits.maxNames)",
    ],
    [
      "a name that is too long",
      { resourceNames: ["abcde"] },
      { maxNameBytes: 4 },
      "has 5 bytes; at most 4 (XdsLimits.maxNameBytes)",
    ],
    [
      "a version that is too long",
      { versionInfo: "abcde" },
      { maxVersionBytes: 4 },
      "version_info has 5 bytes; at most 4 (XdsLimits.maxVersionBytes)",
    ],
    [
      "a node that is too large",
      { node: { id: "abcde" } },
      { maxNodeBytes: 4 },
      "node has 7 bytes; at most 4 (XdsLimits.maxNodeBytes)",
    ],
  ])("%s", (_, request, limits, says) => {
    expect(() => readDiscoveryRequest(sotw(request), [], reading(limits))).toThrow(says);
  });

  test.each([
    ["more names to unsubscribe than allowed", { resourceNamesUnsubscribe: ["a", "b", "c"] }, { maxNames: 2 }],
    ["more versions than allowed", { initialResourceVersions: { a: "1", b: "2", c: "3" } }, { maxNames: 2 }],
    ["a name to unsubscribe that is too long", { resourceNamesUnsubscribe: ["abcde"] }, { maxNameBytes: 4 }],
    ["a held name that is too long", { initialResourceVersions: { abcde: "1" } }, { maxNameBytes: 4 }],
    ["a held version that is too long", { initialResourceVersions: { a: "abcde" } }, { maxVersionBytes: 4 }],
  ])("delta: %s", (_, request, limits) => {
    const bytes = toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request));
    expect(() => readDeltaRequest(Buffer.from(bytes), reading(limits))).toThrow(LimitMet);
  });

  test("more fields than anybody sends, though all of them are unknown", () => {
    expect(() => readDiscoveryRequest(Buffer.alloc(2_000_002, Buffer.from([0x78, 0])), [], reading())).toThrow(
      UnreadableBytes,
    );
  });

  test("of the text of a refusal the beginning is kept", () => {
    const bytes = sotw({ errorDetail: { code: 3, message: "abcdef" } });
    expect(readDiscoveryRequest(bytes, [], reading({ maxRefusalTextBytes: 4 })).request.error?.message).toBe("abcd");
  });

  test.each([
    ["a length beyond the end", [0x0a, 5, 0x61]],
    ["a number without end", Array.from({ length: 12 }, () => 0xff)],
    ["a group", [0x0b]],
    ["a text of the wrong wire type", [0x22 - 2, 1]],
  ])("%s", (_, bytes) => {
    expect(() => readDiscoveryRequest(Buffer.from(bytes), [], reading())).toThrow(RangeError);
  });
});

function reading(limits: Partial<XdsLimits> = {}) {
  return readContext({ ...DEFAULT_LIMITS, ...limits }, new SharedTables());
}

function sotw(request: MessageInitShape<typeof DiscoveryRequestSchema>): Buffer {
  return Buffer.from(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request)));
}

function withError(errorDetail: { code: number; message: string } | undefined) {
  return errorDetail && { errorDetail };
}
