import { connect } from "node:http2";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { ADS } from "../protocol/xds/raw-client.ts";
import { type Attack, CAMPAIGN_TIMEOUT_MS, campaign } from "./campaign.ts";
import type { Chance } from "./chance.ts";
import { hostileText } from "./dictionary.ts";
import { type FuzzedPlane, startFuzzedPlane } from "./fuzzed-plane.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateMessage } from "./mutate-message.ts";

let fuzzed: FuzzedPlane;

beforeAll(async () => {
  fuzzed = await startFuzzedPlane();
});

afterAll(async () => {
  await fuzzed?.[Symbol.asyncDispose]();
});

const SOTW = { path: `${ADS}/StreamAggregatedResources`, request: DiscoveryRequestSchema } as const;
const DELTA = { path: `${ADS}/DeltaAggregatedResources`, request: DeltaDiscoveryRequestSchema } as const;
type Variant = typeof SOTW | typeof DELTA;

const TYPES = [
  "envoy.config.cluster.v3.Cluster",
  "envoy.config.endpoint.v3.ClusterLoadAssignment",
  "envoy.config.listener.v3.Listener",
  "envoy.config.route.v3.RouteConfiguration",
  "envoy.extensions.transport_sockets.tls.v3.Secret",
  "envoy.service.runtime.v3.Runtime",
].map((name) => `type.googleapis.com/${name}`);

const node = (id: string, cluster = "edge") => ({ id, cluster, userAgentName: "envoy" });

/** Says all that to the discovery port over one stream, and leaves. */
async function say(
  path: string,
  messages: readonly Uint8Array[],
  { leaveAfterMs = 30, reads = true } = {},
): Promise<void> {
  const client = new Client(fuzzed.plane.addresses.xds, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  const pass = (bytes: Buffer) => bytes;
  const call = client.makeBidiStreamRequest(path, pass, pass, new Metadata());
  call.on("error", () => undefined);
  if (reads) call.resume();
  for (const message of messages) call.write(Buffer.from(message));
  await new Promise<void>((resolve) => {
    const leave = setTimeout(resolve, leaveAfterMs);
    call.on("status", () => {
      clearTimeout(leave);
      resolve();
    });
  });
  call.cancel();
  client.close();
}

/** What an Envoy would say: a type, its answers, a change of mind. */
function conversation({ request }: Variant, chance: Chance): Uint8Array[] {
  const id = chance.happens(50) ? `fuzz-${chance.below(20)}` : hostileText(chance);
  const typeUrl = chance.oneOf(TYPES);
  const names = Array.from({ length: chance.oneOf([0, 1, 3, 500]) }, (_, i) => `${hostileText(chance)}${i}`);
  const subscription =
    request === DiscoveryRequestSchema
      ? { resourceNames: names }
      : {
          resourceNamesSubscribe: names,
          resourceNamesUnsubscribe: names.slice(1),
          initialResourceVersions: { shop: "1" },
        };
  const error = { errorDetail: { code: 13, message: hostileText(chance) } };
  const said: object[] = [
    { node: node(id), typeUrl, ...subscription },
    { typeUrl, responseNonce: hostileText(chance), ...(chance.happens(50) && error) },
    { typeUrl, ...subscription },
  ];
  return said.map((init) => {
    const message = create(request as DescMessage, init as MessageInitShape<DescMessage>);
    if (chance.happens(60)) mutateMessage(request as DescMessage, message, chance);
    const bytes = toBinary(request as DescMessage, message);
    return chance.happens(30) ? mutateBytes(bytes, chance) : bytes;
  });
}

const mutated: Attack = {
  name: "mutated discovery requests",
  weight: 20,
  run: async (chance) => {
    const streams = Array.from({ length: 20 }, () => chance.oneOf<Variant>([SOTW, DELTA]));
    await Promise.all(streams.map((variant) => say(variant.path, conversation(variant, chance))));
  },
};

const longIds: Attack = {
  name: "nodes with ids of a megabyte",
  run: async () => {
    for (let i = 0; i < 60; i++) {
      const id = `${i}${"n".repeat(1 << 20)}`;
      await say(DELTA.path, [encode(DELTA, { node: node(id), typeUrl: TYPES[0] ?? "" })]);
    }
  },
};

const longRefusal: Attack = {
  name: "a refusal of a node with a long id and a long text",
  run: async () => {
    const id = `long${"n".repeat(2 << 20)}`;
    const typeUrl = TYPES[0] ?? "";
    const refused = { typeUrl, responseNonce: "x", errorDetail: { code: 3, message: "m".repeat(1 << 20) } };
    await say(DELTA.path, [encode(DELTA, { node: node(id), typeUrl }), encode(DELTA, refused)]);
  },
};

const manyNames: Attack = {
  name: "200,000 names over delta",
  run: async (chance) => {
    const resourceNamesSubscribe = Array.from({ length: 200_000 }, (_, i) => `nobody-${i}`);
    const typeUrl = chance.oneOf(TYPES);
    const leave = { leaveAfterMs: 1500 };
    await say(DELTA.path, [encode(DELTA, { node: node("names"), typeUrl, resourceNamesSubscribe })], leave);
  },
};

const closedStreams: Attack = {
  name: "streams that ask for what nobody has, and close",
  run: async (chance) => {
    for (let i = 0; i < 40; i++) {
      const resourceNamesSubscribe = Array.from({ length: 50_000 }, (_, n) => `nobody-${i}-${n}`);
      const request = { node: node(`closed-${i}`), typeUrl: chance.oneOf(TYPES), resourceNamesSubscribe };
      await say(DELTA.path, [encode(DELTA, request)], { leaveAfterMs: 200 });
    }
  },
};

const manyNodes: Attack = {
  name: "invented nodes, one after the other",
  run: async (chance) => {
    for (let round = 0; round < 10; round++) {
      const ids = Array.from({ length: 50 }, (_, i) => `invented-${chance.below(1e9)}-${i}`);
      await Promise.all(
        ids.map((id) =>
          say(SOTW.path, [encode(SOTW, { node: node(id), typeUrl: TYPES[0] ?? "" })], { leaveAfterMs: 5 }),
        ),
      );
    }
  },
};

/** One connection may make the plane hold 256 MiB; this leaves room for parts that are just being put together. */
const HELD_BYTES_MAX = 450_000_000;

const unfinished: Attack = {
  name: "requests that begin and do not end",
  run: async () => {
    const session = connect(`http://${fuzzed.plane.addresses.xds}`);
    session.on("error", () => undefined);
    for (let i = 0; i < 40; i++) {
      const headers = { ":method": "POST", ":path": DELTA.path, "content-type": "application/grpc", te: "trailers" };
      const stream = session.request(headers);
      stream.on("error", () => undefined);
      const begun = Buffer.alloc(5 + 20_000_000);
      begun.writeUInt32BE(30_000_000, 1);
      stream.write(begun);
    }
    let held = 0;
    for (let look = 0; look < 20 && !session.destroyed && held < HELD_BYTES_MAX; look++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      held = Math.max(held, await fuzzed.held());
    }
    session.destroy();
    expect(held).toBeLessThan(HELD_BYTES_MAX);
  },
};

const silentStreams: Attack = {
  name: "streams that say nothing, and connections without any",
  run: async () => {
    await Promise.all(Array.from({ length: 200 }, () => say(SOTW.path, [], { leaveAfterMs: 500 })));
  },
};

const deafClient: Attack = {
  name: "requests on one stream, none of whose answers is read",
  run: async () => {
    const first = encode(DELTA, { node: node("deaf"), typeUrl: TYPES[0] ?? "" });
    const more = Array.from({ length: 2000 }, (_, i) =>
      encode(DELTA, { typeUrl: TYPES[3] ?? "", resourceNamesSubscribe: [`a-${i}`] }),
    );
    await say(DELTA.path, [first, ...more], { leaveAfterMs: 500, reads: false });
  },
};

test(
  "no client of the discovery port ends the plane, keeps others waiting or stays in memory",
  async () => {
    const named = [longIds, longRefusal, manyNames, closedStreams, manyNodes, unfinished, silentStreams, deafClient];
    await campaign(fuzzed, [mutated, ...named]);
    const nodes = JSON.parse(await fuzzed.plane.mustCli("nodes", "-o", "json")) as { id: string }[];
    expect(Math.max(...nodes.map(({ id }) => Buffer.byteLength(id)))).toBeLessThanOrEqual(1024);
    await fuzzed.memoryReturns();
  },
  CAMPAIGN_TIMEOUT_MS,
);

function encode({ request }: Variant, init: object): Uint8Array {
  return toBinary(request as DescMessage, create(request as DescMessage, init as MessageInitShape<DescMessage>));
}
