/** The service that the proxyless clients call: it tells who answered. */
import { create, toBinary } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";

const pass = (bytes: Buffer) => bytes;
const WHO: ServiceDefinition = {
  Ask: {
    path: "/fairlead.test.Who/Ask",
    requestStream: false,
    responseStream: false,
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  },
};

/** Adds the service to a server. */
export function addWho(server: Server, name: string): void {
  const reply = Buffer.from(toBinary(StringValueSchema, create(StringValueSchema, { value: name })));
  server.addService(WHO, { Ask: (_call: unknown, done: (error: null, reply: Buffer) => void) => done(null, reply) });
}

export interface Who {
  readonly port: number;
  [Symbol.dispose](): void;
}

/** A backend of that name on 127.0.0.1. */
export async function startWho(name: string): Promise<Who> {
  const server = new Server();
  addWho(server, name);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, [Symbol.dispose]: () => server.forceShutdown() };
}
