import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ServiceError, status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { ClientResourceStatus } from "../../../src/gen/envoy/admin/v3/config_dump_shared_pb.ts";
import {
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
  ConfigStatus,
} from "../../../src/gen/envoy/service/status/v3/csds_pb.ts";
import { CLUSTER_TYPE, ResourceCache, SECRET_TYPE, XdsServer } from "../../../src/xds/server/library.ts";
import { RawClient } from "./raw-client.ts";

const PATH = "/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus";

it("the client status service tells what each client was sent, accepted and refused, and no secret", async () => {
  const cache = new ResourceCache();
  cache.update("g", (tx) => {
    tx.set({ typeUrl: CLUSTER_TYPE, name: "a", body: Buffer.from("one"), references: [] });
    tx.set({ typeUrl: SECRET_TYPE, name: "s", body: Buffer.from("private"), references: [] });
  });
  const server = new XdsServer({ cache, groupOf: () => "g", clientStatus: () => true });
  using client = new RawClient(await server.listen("127.0.0.1:0"));
  const stream = client.delta();
  stream.send({ node: { id: "n1" }, typeUrl: CLUSTER_TYPE });
  const clusters = await stream.next();
  stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: clusters.nonce, errorDetail: { code: 13, message: "too odd" } });
  stream.send({ typeUrl: SECRET_TYPE, resourceNamesSubscribe: ["s"] });
  const secrets = await stream.next();
  stream.send({ typeUrl: SECRET_TYPE, responseNonce: secrets.nonce });
  stream.send({ typeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener" });
  await stream.next();

  const { config } = await ask(client);
  const entries = config[0]?.genericXdsConfigs ?? [];
  expect(config.map(({ node }) => node?.id)).toEqual(["n1"]);
  expect(entries.map(({ name, configStatus, clientStatus }) => [name, configStatus, clientStatus])).toEqual([
    ["a", ConfigStatus.ERROR, ClientResourceStatus.NACKED],
    ["s", ConfigStatus.SYNCED, ClientResourceStatus.ACKED],
  ]);
  expect(entries[0]?.errorState?.details).toBe("too odd");
  expect(entries[1]?.xdsConfig).toBeUndefined();
  expect((await ask(client, "someone-else")).config).toEqual([]);
  await server.stop({ graceMs: 100 });
});

it("the client status service is there only for those it is meant for", async () => {
  const server = new XdsServer({ cache: new ResourceCache(), groupOf: () => "g" });
  const guarded = new XdsServer({ cache: new ResourceCache(), groupOf: () => "g", clientStatus: () => false });
  using client = new RawClient(await server.listen("127.0.0.1:0"));
  using other = new RawClient(await guarded.listen("127.0.0.1:0"));
  expect(await client.unary(PATH)).toBe(status.UNIMPLEMENTED);
  expect(await other.unary(PATH)).toBe(status.PERMISSION_DENIED);
  await server.stop({ graceMs: 100 });
  await guarded.stop({ graceMs: 100 });
});

function ask({ grpc }: RawClient, id = "n1"): Promise<ClientStatusResponse> {
  const request = create(ClientStatusRequestSchema, {
    nodeMatchers: [{ nodeId: { matchPattern: { case: "exact", value: id } } }],
  });
  return new Promise((resolve, reject) => {
    grpc.makeUnaryRequest(
      PATH,
      (message: typeof request) => Buffer.from(toBinary(ClientStatusRequestSchema, message)),
      (bytes: Buffer) => fromBinary(ClientStatusResponseSchema, bytes),
      request,
      (error: ServiceError | null, response?: ClientStatusResponse) => {
        if (response) resolve(response);
        else reject(error ?? new Error("no answer"));
      },
    );
  });
}
