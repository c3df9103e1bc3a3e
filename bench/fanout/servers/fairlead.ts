/** Fairlead's library through its public door, as a server of the benchmark. */
import { readFileSync } from "node:fs";
import { ServerCredentials } from "@grpc/grpc-js";
import { LEDS_TYPE, ResourceCache, XdsServer } from "../../../src/xds/server/library.ts";
import { buildAssignments, buildMember, changeAssignment } from "./content.ts";
import { type BenchServer, obey, type ServerConfig } from "./control.ts";

const GROUP = "bench";

await obey(async (config): Promise<BenchServer> => {
  const cache = new ResourceCache();
  const server = new XdsServer({ cache, groupOf: () => GROUP });
  const apply = config.members ? serveMembers(cache, config) : serveAssignments(cache, config);
  return { apply, address: await server.listen("127.0.0.1:0", credentialsOf(config)) };
});

function serveAssignments(cache: ResourceCache, { resources, endpoints }: ServerConfig): (change: number) => void {
  const assignments = buildAssignments(resources, endpoints);
  cache.update(GROUP, (group) => {
    for (const assignment of assignments) group.set(assignment);
  });
  return (change) => {
    const at = change % assignments.length;
    const old = assignments[at];
    if (!old) throw new Error("there is nothing to change");
    const changed = changeAssignment(old, change);
    assignments[at] = changed;
    cache.update(GROUP, (group) => group.set(changed));
  };
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
