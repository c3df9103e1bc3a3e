import { promisify } from "node:util";
import { Client, credentials, Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { Clock } from "../../runtime/clock.ts";
import type { ResponseFrame } from "./encode-response.ts";
import { rawMethod } from "./services.ts";
import { type DiscoveryCall, directTransport } from "./stream-transport.ts";

const METHOD = rawMethod("fairlead.Try", "Exchange");
const PATIENCE_MS = 2000;

/** More than one HTTP/2 frame, so that a request arrives in pieces. */
const REQUEST_BYTES = 100_000;

/**
 * Tries the direct transport once, with a client over loopback: a request, two responses, and the regular end of the
 * call after them. Returns false when anything differs from the public transport, which must then be used.
 */
export async function tryDirectTransport(clock: Clock): Promise<boolean> {
  const server = new Server();
  const frame = frameOf("direct");
  const transportOf = directTransport(clock);
  const serve = (call: DiscoveryCall) => {
    const transport = transportOf(
      call,
      { limit: "maxRequestBytes", most: REQUEST_BYTES },
      {
        received: (message) => {
          if (message.length !== REQUEST_BYTES) return;
          transport.write(frame);
          transport.write(frame);
        },
        held: () => undefined,
        unreadable: () => undefined,
        drained: () => undefined,
      },
    );
    call.on("end", () => call.end());
  };
  server.addService({ exchange: METHOD }, { exchange: serve });
  try {
    const bind = promisify(server.bindAsync.bind(server));
    const port = await bind("127.0.0.1:0", ServerCredentials.createInsecure());
    return await roundTrip(`127.0.0.1:${port}`, clock);
  } catch {
    return false;
  } finally {
    server.forceShutdown();
  }
}

function roundTrip(address: string, clock: Clock): Promise<boolean> {
  const client = new Client(address, credentials.createInsecure(), { "grpc.enable_channelz": 0 });
  return new Promise<boolean>((resolve) => {
    const call = client.makeBidiStreamRequest(METHOD.path, METHOD.requestSerialize, METHOD.responseDeserialize);
    const received: string[] = [];
    const cancel = clock.after(PATIENCE_MS, () => resolve(false));
    call.on("data", (bytes: Buffer) => received.push(bytes.toString()) === 2 && call.end());
    call.on("error", () => resolve(false));
    call.on("status", ({ code }) => {
      cancel();
      resolve(code === status.OK && received.join() === "direct,direct");
    });
    call.write(Buffer.alloc(REQUEST_BYTES));
  }).finally(() => client.close());
}

function frameOf(text: string): ResponseFrame {
  const [first = "", ...rest] = text;
  const shared = Buffer.concat([new Uint8Array(5), Buffer.from(first)]);
  shared.writeUInt32BE(text.length, 1);
  return { shared, own: Buffer.from(rest.join("")), whole: shared };
}
