import { create, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyPack } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { ListenerSchema } from "../../../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { SecretSchema } from "../../../../src/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import { DownstreamTlsContextSchema } from "../../../../src/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { LISTENER_TYPE, SECRET_TYPE } from "../../../../src/xds/protocol/resource-types.ts";
import { resourceJson } from "../../../../src/xds/server/resource-json.ts";

const inline = (text: string) => ({ specifier: { case: "inlineString" as const, value: text } });
const pair = { certificateChain: inline("CHAIN"), privateKey: inline("KEY"), password: inline("WORD") };

const listenerWith = (typedConfig: Any) =>
  toBinary(
    ListenerSchema,
    create(ListenerSchema, {
      name: "web",
      filterChains: [{ transportSocket: { name: "tls", configType: { case: "typedConfig", value: typedConfig } } }],
    }),
  );

describe("what a resource holds, for people", () => {
  it("is its content as Envoy's documentation shows it", () => {
    const body = toBinary(ListenerSchema, create(ListenerSchema, { name: "web", statPrefix: "w" }));
    expect(resourceJson(LISTENER_TYPE, "web", body)).toEqual({ name: "web", statPrefix: "w" });
  });

  it("has no secret in it, by discovery or inline", () => {
    const secret = create(SecretSchema, { name: "s", type: { case: "tlsCertificate", value: pair } });
    const context = create(DownstreamTlsContextSchema, { commonTlsContext: { tlsCertificates: [pair] } });
    const shown = [
      resourceJson(SECRET_TYPE, "s", toBinary(SecretSchema, secret)),
      resourceJson(LISTENER_TYPE, "web", listenerWith(anyPack(DownstreamTlsContextSchema, context))),
    ];
    const text = JSON.stringify(shown);
    expect(text).toContain("CHAIN");
    for (const hidden of ["KEY", "WORD"]) expect(text).not.toContain(hidden);
  });

  it("is withheld where nobody can tell what is in it", () => {
    const unknown = create(AnySchema, { typeUrl: "type.googleapis.com/acme.Tls", value: Buffer.from("KEY") });
    for (const body of [listenerWith(unknown), Buffer.from("no message at all")]) {
      expect(resourceJson(LISTENER_TYPE, "web", body)).toMatchObject({ name: "web", withheld: expect.any(String) });
      expect(JSON.stringify(resourceJson(LISTENER_TYPE, "web", body))).not.toContain("KEY");
    }
    expect(resourceJson("type.googleapis.com/acme.Thing", "t", Buffer.from("KEY"))).toMatchObject({ name: "t" });
  });
});
