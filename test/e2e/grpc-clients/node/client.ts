/**
 * A proxyless client over grpc-js: for each line that it reads it makes one call to the xDS target that its argument
 * names, and prints who answered or why nobody did. At the end of its input it closes its channel.
 */
import { createInterface } from "node:readline";
import { fromBinary } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials } from "@grpc/grpc-js";
import { register } from "@grpc/grpc-js-xds";

const CALL_TIMEOUT_MS = 2000;
// The library closes its management stream a moment after the last channel is gone, and does not tell when.
const FAREWELL_MS = 10_000;

register();
const client = new Client(process.argv[2] ?? "", credentials.createInsecure());
for await (const _ of createInterface({ input: process.stdin })) process.stdout.write(`${await ask()}\n`);
client.close();
setTimeout(() => undefined, FAREWELL_MS);

function ask(): Promise<string> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/fairlead.test.Who/Ask",
      () => Buffer.alloc(0),
      (reply: Buffer) => fromBinary(StringValueSchema, reply).value,
      undefined,
      { deadline: Date.now() + CALL_TIMEOUT_MS },
      (error, reply) => resolve(error ? `error ${error.details.replaceAll(/\s+/g, " ")}` : `answer ${reply ?? ""}`),
    );
  });
}
