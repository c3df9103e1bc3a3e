import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { ControlledProcess } from "../../../bench/fanout/process.ts";
import { buildPrograms, loadClientProgram } from "../../../bench/fanout/programs.ts";
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { CLUSTER_TYPE, ENDPOINT_TYPE } from "../../../src/xds/protocol/resource-types.ts";
import { startEnvoy } from "../../support/envoy.ts";
import { eventually } from "../../support/eventually.ts";
import { adsBootstrap } from "./ads-bootstrap.ts";

type Variant = "sotw" | "delta";
type Request = { readonly typeUrl: string; readonly responseNonce: string; readonly json: Record<string, unknown> };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

test.each<Variant>(["sotw", "delta"])(
  "%s: the load client asks and acknowledges in Envoy's words",
  { timeout: 600_000 },
  async (variant) => {
    const byEnvoy = await recordingServer(variant);
    const envoy = await startEnvoy({
      bootstrap: adsBootstrap({ xds: byEnvoy.address, nodeId: "node-0", cluster: "bench", protocol: variant }),
    });
    cleanUps.push(() => envoy.stop());
    await byEnvoy.hasEndpointAck();

    const byClient = await recordingServer(variant);
    buildPrograms(new Set(), () => undefined);
    const client = new ControlledProcess<object, { error?: string }>(loadClientProgram());
    cleanUps.push(() => client.stop());
    const method = variant === "delta" ? "DeltaAggregatedResources" : "StreamAggregatedResources";
    await client.ask({
      address: byClient.address,
      path: `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`,
      delta: variant === "delta",
      subscriptions: [
        { typeUrl: CLUSTER_TYPE, expect: 1 },
        { typeUrl: ENDPOINT_TYPE, names: ["shop"], expect: 1 },
      ],
      node: { idPrefix: "node-", cluster: "bench" },
    });
    await client.ask({ do: "open", count: 1, parallel: 1, timeoutMs: 20_000 });
    await byClient.hasEndpointAck();

    for (const typeUrl of [CLUSTER_TYPE, ENDPOINT_TYPE]) {
      expect(byClient.requestsOf(typeUrl)).toEqual(byEnvoy.requestsOf(typeUrl));
    }
  },
);

interface Recording {
  readonly address: string;
  /** The first request of a type and the acknowledgement of its response; the node only as its presence. */
  requestsOf(typeUrl: string): { readonly first: unknown; readonly ack: unknown };
  hasEndpointAck(): Promise<unknown>;
}

/** Answers the first request of each type once, always with the same words, and records all requests. */
async function recordingServer(variant: Variant): Promise<Recording> {
  const requests: Request[] = [];
  const serve = (call: ServerDuplexStream<Buffer, Buffer>) => {
    const answered = new Set<string>();
    call.on("data", (bytes: Buffer) => {
      const request = readRequest(variant, bytes);
      requests.push(request);
      if (answered.has(request.typeUrl)) return;
      answered.add(request.typeUrl);
      call.write(answer(variant, request.typeUrl));
    });
    call.on("error", () => undefined);
    call.on("end", () => call.end());
  };
  const pass = (bytes: Buffer) => bytes;
  const method = variant === "delta" ? "DeltaAggregatedResources" : "StreamAggregatedResources";
  const server = new Server();
  server.addService(
    {
      [method]: {
        path: `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`,
        ...{ requestStream: true, responseStream: true },
        ...{ requestSerialize: pass, requestDeserialize: pass, responseSerialize: pass, responseDeserialize: pass },
      },
    },
    { [method]: serve },
  );
  cleanUps.push(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const ackOf = (typeUrl: string) => requests.find((each) => each.typeUrl === typeUrl && each.responseNonce !== "");
  return {
    address: `127.0.0.1:${port}`,
    requestsOf: (typeUrl) => {
      const first = requests.find((each) => each.typeUrl === typeUrl)?.json ?? {};
      return { first: withoutNode(first), ack: ackOf(typeUrl)?.json };
    },
    hasEndpointAck: () =>
      eventually(
        () => ackOf(ENDPOINT_TYPE),
        (ack) => ack !== undefined,
        { what: "an EDS ACK" },
      ),
  };
}

function withoutNode({ node: _node, ...rest }: Record<string, unknown>): unknown {
  return rest;
}

function readRequest(variant: Variant, bytes: Buffer): Request {
  if (variant === "delta") {
    const request = fromBinary(DeltaDiscoveryRequestSchema, bytes);
    const json = toJson(DeltaDiscoveryRequestSchema, request) as Record<string, unknown>;
    return { typeUrl: request.typeUrl, responseNonce: request.responseNonce, json };
  }
  const request = fromBinary(DiscoveryRequestSchema, bytes);
  const json = toJson(DiscoveryRequestSchema, request) as Record<string, unknown>;
  return { typeUrl: request.typeUrl, responseNonce: request.responseNonce, json };
}

function answer(variant: Variant, typeUrl: string): Buffer {
  const resources =
    typeUrl === CLUSTER_TYPE
      ? [{ name: "shop", any: anyPack(ClusterSchema, shopCluster()) }]
      : typeUrl === ENDPOINT_TYPE
        ? [
            {
              name: "shop",
              any: anyPack(ClusterLoadAssignmentSchema, create(ClusterLoadAssignmentSchema, { clusterName: "shop" })),
            },
          ]
        : [];
  const common = { typeUrl, nonce: `nonce of ${typeUrl}` };
  if (variant === "delta") {
    const wrapped = resources.map(({ name, any }) => ({ name, version: "7", resource: any }));
    return Buffer.from(
      toBinary(DeltaDiscoveryResponseSchema, create(DeltaDiscoveryResponseSchema, { ...common, resources: wrapped })),
    );
  }
  const response = create(DiscoveryResponseSchema, {
    ...common,
    versionInfo: "7",
    resources: resources.map(({ any }) => any),
  });
  return Buffer.from(toBinary(DiscoveryResponseSchema, response));
}

function shopCluster(): Cluster {
  return create(ClusterSchema, {
    name: "shop",
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: { resourceApiVersion: 2, configSourceSpecifier: { case: "ads", value: {} } } },
    connectTimeout: { seconds: 1n },
  });
}
