/** The engine on 127.0.0.1, with one group of resources for every client, and a record of what clients made of it. */
import { ENDPOINT_TYPE, ResourceCache, type ResourceInput, XdsServer } from "../../../src/xds/server/library.ts";

export async function startPlane() {
  const cache = new ResourceCache();
  cache.update("all", () => undefined);
  const server = new XdsServer({ cache, groupOf: () => "all" });
  const sent: { typeUrl: string; bytes: number }[] = [];
  const accepted: string[] = [];
  const refused: string[] = [];
  const refusals: string[] = [];
  server.on("sent", (_client, { typeUrl, bytes }) => sent.push({ typeUrl, bytes }));
  server.on("ack", (_client, { names }) => accepted.push(...names));
  const wildcards: string[] = [];
  server.on("subscribe", (_client, { typeUrl, wildcard }) => wildcard && wildcards.push(typeUrl));
  server.on("nack", (_client, { names, message }) => {
    refused.push(...names);
    refusals.push(message);
  });
  const address = await server.listen("127.0.0.1:0");
  return {
    cache,
    server,
    address,
    accepted,
    /** Names in refused responses. */
    refused,
    /** What the clients said. */
    refusals,
    wildcards,
    get sentBytes() {
      return sent.map(({ bytes }) => bytes);
    },
    endpointBytes: () =>
      sent.filter(({ typeUrl }) => typeUrl === ENDPOINT_TYPE).reduce((sum, { bytes }) => sum + bytes, 0),
    publish: (resources: readonly ResourceInput[]) =>
      cache.update("all", (change) => {
        for (const resource of resources) change.set(resource);
      }),
    [Symbol.asyncDispose]: () => server.stop({ graceMs: 0 }),
  };
}
