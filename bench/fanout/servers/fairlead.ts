/** Fairlead's library through its public door, as a server of the benchmark. */
import { readFileSync } from "node:fs";
import { ServerCredentials } from "@grpc/grpc-js";
import {
  ENDPOINT_TYPE,
  encodeAssignment,
  LEDS_TYPE,
  type ResourceBytes,
  ResourceCache,
  XdsServer,
} from "../../../src/xds/server/library.ts";
import { buildEndpoints, buildFirstEndpoint, buildMember } from "./content.ts";
import { type BenchServer, obey, type ServerConfig } from "./control.ts";

const GROUP = "bench";

await obey(async (config): Promise<BenchServer> => {
  const cache = new ResourceCache();
  const server = new XdsServer({ cache, groupOf: () => GROUP });
  const apply = config.members ? serveMembers(cache, config) : serveAssignments(cache, config);
  return { apply, address: await server.listen("127.0.0.1:0", credentialsOf(config)) };
});

function serveAssignments(cache: ResourceCache, { resources, endpoints }: ServerConfig): (change: number) => void {
  const assignments = Array.from({ length: resources }, () => buildEndpoints(endpoints));
  cache.update(GROUP, (group) => {
    for (const [at, lbEndpoints] of assignments.entries()) group.set(assignment(at, lbEndpoints));
  });
  return (change) => {
    const at = change % assignments.length;
    const changed = assignments[at]?.with(0, buildFirstEndpoint(change)) ?? [];
    assignments[at] = changed;
    cache.update(GROUP, (group) => group.set(assignment(at, changed)));
  };
}

function assignment(at: number, lbEndpoints: readonly Uint8Array[]): ResourceBytes {
  const name = `cluster-${at}`;
  // Endpoints that are listed refer to nothing, and nothing is to be looked for.
  return { typeUrl: ENDPOINT_TYPE, name, body: encodeAssignment(name, [{ lbEndpoints }]), references: [] };
}

function serveMembers(cache: ResourceCache, { endpoints }: ServerConfig): (change: number) => void {
  cache.update(GROUP, (group) => {
    for (let index = 0; index < endpoints; index++) group.set({ typeUrl: LEDS_TYPE, ...buildMember(index) });
  });
  return (change) => {
    const member = buildMember(change % endpoints, change);
    cache.update(GROUP, (group) => group.set({ typeUrl: LEDS_TYPE, ...member }));
  };
}

function credentialsOf({ certificate, key }: ServerConfig): ServerCredentials {
  if (certificate === undefined || key === undefined) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: readFileSync(certificate), private_key: readFileSync(key) }]);
}
