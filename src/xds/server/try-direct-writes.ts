import { Client, credentials, Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { Clock } from "../../runtime/clock.ts";
import type { ResponseFrame } from "./encode-response.ts";
import { type DiscoveryCall, directTransport } from "./response-transport.ts";

const PATH = "/fairlead.Try/Write";
const PATIENCE_MS = 2000;

/**
 * Tries a direct write once, from server to client over loopback, and the regular end of the call after it. False
 * when anything is not as it would be by the public way; then that one is to be used.
 */
export async function tryDirectWrites(clock: Clock): Promise<boolean> {
  const server = new Server();
  const pass = (bytes: Buffer) => bytes;
  const method = {
    path: PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
  const frame = frameOf("direct");
  const serve = (call: DiscoveryCall) => {
    const transport = directTransport(call, () => undefined);
    call.on("data", () => {
      transport.write(frame);
      transport.write(frame);
    });
    call.on("end", () => call.end());
  };
  server.addService({ write: method }, { write: serve });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return await roundTrip(`127.0.0.1:${port}`, clock);
  } catch {
    return false;
  } finally {
    server.forceShutdown();
  }
}

function roundTrip(address: string, clock: Clock): Promise<boolean> {
  const client = new Client(address, credentials.createInsecure(), { "grpc.enable_channelz": 0 });
  const pass = (bytes: Buffer) => bytes;
  return new Promise<boolean>((resolve) => {
    const call = client.makeBidiStreamRequest(PATH, pass, pass);
    const received: string[] = [];
    const cancel = clock.after(PATIENCE_MS, () => resolve(false));
    call.on("data", (bytes: Buffer) => received.push(bytes.toString()) === 2 && call.end());
    call.on("error", () => resolve(false));
    call.on("status", ({ code }) => {
      cancel();
      resolve(code === status.OK && received.join() === "direct,direct");
    });
    call.write(Buffer.from("begin"));
  }).finally(() => client.close());
}

function frameOf(text: string): ResponseFrame {
  const [first = "", ...rest] = text;
  const shared = Buffer.concat([new Uint8Array(5), Buffer.from(first)]);
  shared.writeUInt32BE(text.length, 1);
  return { shared, own: Buffer.from(rest.join("")) };
}
