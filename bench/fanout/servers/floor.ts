/**
 * The floor: the same bytes written to bare TCP sockets, by a server that reads nothing and keeps no books. What a
 * push costs beyond this is the cost of the protocol and its bookkeeping.
 */
import { createServer, type Socket } from "node:net";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { encodeAssignment } from "../../../src/xds/content/encode-assignment.ts";
import { buildEndpoints, buildFirstEndpoint, buildMember } from "./content.ts";
import { obey, type ServerConfig } from "./control.ts";

const TYPE = "type.googleapis.com/envoy.config.endpoint.v3.";
const FRAME_BYTES = 16_384;
const DATA_FRAME = 0;
const SETTINGS_FRAME = 4;

let lbEndpoints: Uint8Array[] | undefined;

await obey(async (config) => {
  const sockets = new Set<Socket>();
  const first = response(config, 0);
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => sockets.delete(socket));
    socket.on("close", () => sockets.delete(socket));
    socket.resume();
    socket.write(frame(SETTINGS_FRAME, 0, new Uint8Array()));
    socket.write(first);
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the floor did not get an address");
  const apply = (change: number) => {
    const bytes = response(config, change);
    for (const socket of sockets) socket.write(bytes);
  };
  return { address: `127.0.0.1:${bound.port}`, apply };
});

/** One push as it goes over the wire: a SotW response with what one change touches, in gRPC and HTTP/2 framing. */
function response(config: ServerConfig, change: number): Buffer {
  const typeUrl = TYPE + (config.members ? "LbEndpoint" : "ClusterLoadAssignment");
  const any = new BinaryWriter();
  any.tag(1, WireType.LengthDelimited).string(typeUrl).tag(2, WireType.LengthDelimited).bytes(bodyOf(config, change));
  const message = new BinaryWriter();
  message.tag(1, WireType.LengthDelimited).string(String(change));
  message.tag(2, WireType.LengthDelimited).bytes(any.finish());
  message.tag(4, WireType.LengthDelimited).string(typeUrl).tag(5, WireType.LengthDelimited).string(String(change));
  const bytes = message.finish();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  const framed = Buffer.concat([prefix, bytes]);
  const frames: Buffer[] = [];
  for (let at = 0; at < framed.length; at += FRAME_BYTES) {
    frames.push(frame(DATA_FRAME, 1, framed.subarray(at, at + FRAME_BYTES)));
  }
  return Buffer.concat(frames);
}

function bodyOf(config: ServerConfig, change: number): Uint8Array {
  if (config.members) return buildMember(0, change).body;
  lbEndpoints ??= buildEndpoints(config.endpoints);
  return encodeAssignment("cluster-0", [{ lbEndpoints: lbEndpoints.with(0, buildFirstEndpoint(change)) }]);
}

function frame(kind: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(kind, 3);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
